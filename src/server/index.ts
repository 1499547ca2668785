/** The browser shell. */
export { startServer, type RunningServer, type ServerOptions } from './startServer.ts'
