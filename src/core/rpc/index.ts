/** The remote procedure calls between a page and the backend, over any transport. */
export type { Transport } from './transport.ts'
export { createClient, type BackendClient, type ClientOptions, type ConnectionState } from './client.ts'
export { createRpcServer, type RpcServer, type RpcServerOptions } from './server.ts'
export { memoryTransportPair } from './memory.ts'
export { mainPortTransport, messagePortTransport, type MainPortLike, type PortLike } from './messagePort.ts'
export { openWebSocket, webSocketTransport, type WebSocketLike } from './webSocket.ts'
