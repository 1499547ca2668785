import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CodedError } from '../core/contract/errors.ts'

const firstPort = 4870
const attempts = 50

/**
 * Binds to 127.0.0.1 and gives the port.
 *
 * @param wanted Exactly this port (0: any free one); undefined: the first free one from 4870 on.
 * @throws CodedError `busy` or `no-permission` with a sentence for the user.
 */
export async function listen(server: Server, wanted: number | undefined): Promise<number> {
  const ports = wanted === undefined ? Array.from({ length: attempts }, (_, at) => firstPort + at) : [wanted]
  for (const port of ports) {
    const failure = await tryPort(server, port)
    if (failure === null) return (server.address() as AddressInfo).port
    if (failure.code === 'EACCES' && wanted !== undefined) {
      throw new CodedError(
        'no-permission',
        `Port ${port} may not be used on this computer; choose one above 1023 with --port.`,
      )
    }
    if (failure.code !== 'EADDRINUSE' && failure.code !== 'EACCES') throw failure
  }
  throw new CodedError(
    'busy',
    wanted === undefined
      ? `No port from ${firstPort} to ${firstPort + attempts - 1} is free; choose another with --port.`
      : `Port ${wanted} is already in use; choose another with --port, or leave --port out.`,
  )
}

/** Throws what `listen` would, so that a port that is taken is known before anything is made. */
export async function checkPort(port: number): Promise<void> {
  const probe = createServer()
  await listen(probe, port)
  await new Promise((resolve) => probe.close(resolve))
}

function tryPort(server: Server, port: number): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    const settle = (failure: NodeJS.ErrnoException | null) => {
      server.off('error', settle)
      server.off('listening', done)
      resolve(failure)
    }
    const done = () => settle(null)
    server.on('error', settle)
    server.on('listening', done)
    server.listen({ host: '127.0.0.1', port, exclusive: true })
  })
}
