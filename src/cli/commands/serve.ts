import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openHost } from '../../backend/host/openHost.ts'
import { findPlaces } from '../../backend/host/places.ts'
import { CodedError } from '../../core/contract/errors.ts'
import { checkPort, startServer } from '../../server/index.ts'
import { onInterruption } from '../interrupt.ts'
import { Output, type CommonOptions } from '../output.ts'

interface ServeOptions extends CommonOptions {
  readonly port?: number
  readonly open: boolean
  readonly demo?: boolean
}

/** `maskwright serve [PROJECT]`; ends when it is interrupted. */
export async function serve(project: string | undefined, options: ServeOptions): Promise<void> {
  const output = new Output(options)
  const log = (line: string) => {
    if (options.debug === true) output.note(`maskwright: ${line}`)
  }
  const places = findPlaces()
  if (!existsSync(join(places.rendererDir, 'index.html'))) {
    throw new CodedError(
      'file-missing',
      `${places.rendererDir} holds no built interface; run "npm start" or "npm run build".`,
    )
  }
  if (options.port !== undefined) await checkPort(options.port)
  const ended = new Promise<void>((resolve) => {
    onInterruption(resolve)
  })
  const host = await openHost({
    places,
    projectDir: project ?? null,
    demo: options.demo ?? false,
    shell: 'browser',
    log,
    tell: (sentence) => output.note(sentence),
  })
  try {
    const server = await startServer({
      backend: host.backend,
      rendererDir: places.rendererDir,
      ...(options.port === undefined ? {} : { port: options.port }),
      log,
    })
    output.data({ url: server.url })
    output.text(`Maskwright is at ${server.url}`)
    output.text('Press Ctrl+C to end it.')
    if (options.open) openBrowser(server.url, (why) => output.note(`Open that address in a browser (${why}).`))
    await ended
    await server.close()
  } finally {
    await host.close()
  }
}

const openers: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
}

function openBrowser(url: string, failed: (why: string) => void): void {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env
  if (process.platform === 'linux' && DISPLAY === undefined && WAYLAND_DISPLAY === undefined) {
    failed('there is no display here')
    return
  }
  const opener = openers[process.platform] ?? ['xdg-open']
  const child = spawn(opener[0], [...opener.slice(1), url], { stdio: 'ignore', detached: true })
  child.on('error', () => failed('no browser could be opened'))
  child.on('exit', (code) => {
    if (code !== 0 && code !== null) failed('no browser could be opened')
  })
  child.unref()
}
