/** The browser shell. */
export { checkPort } from './listen.ts'
export { startServer, type RunningServer, type ServerOptions } from './startServer.ts'
