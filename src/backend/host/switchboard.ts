import { realpathSync } from 'node:fs'
import { CodedError } from '../../core/contract/errors.ts'
import { methods, type CallContext, type Handlers, type MethodName } from '../../core/contract/methods.ts'
import type { FileEntry, Project } from '../../core/contract/schemas.ts'
import type { Backend } from '../createBackend.ts'
import { EventHub } from '../events.ts'

/** A project that is open, with its backend. */
export interface OpenProject {
  /** Absolute. */
  readonly dir: string
  readonly backend: Backend
}

export interface SwitchboardOptions {
  readonly first: OpenProject
  /** Opens another project. Throws CodedError where it cannot be. */
  readonly open: (dir: string) => Promise<OpenProject>
  /** Projects that were open, the newest first. */
  readonly recent: () => { dir: string; name: string; isDemo: boolean }[]
  readonly log: (line: string) => void
  /** How long calls under way are waited for before a project is closed. */
  readonly graceMs?: number
}

/** What every shell serves: the backend of the project that is open, whichever that is at the moment. */
export interface Switchboard extends Pick<Backend, 'handlers' | 'events' | 'registerFile'> {
  readonly current: OpenProject
  close(): Promise<void>
}

type AnyHandler = (params: unknown, context: CallContext) => Promise<unknown>

const GRACE_MS = 10_000

/**
 * Lets another project be opened while the workstation runs. The other one is opened first: where that fails, nothing has
 * changed. Calls that come meanwhile wait, those under way are waited for, and then the last project is closed as if the
 * workstation ended: all that was promised is on disk.
 */
export function createSwitchboard(options: SwitchboardOptions): Switchboard {
  const { log } = options
  const events = new EventHub(log)
  const running = new Set<Promise<unknown>>()
  let current = options.first
  let stopEvents = forward(current)
  let switching: Promise<unknown> | null = null
  let closing: Promise<void> | null = null

  function forward({ backend }: OpenProject): () => void {
    return backend.events.on((name, payload) => events.emit(name, payload as never))
  }

  async function call(method: MethodName, params: unknown, context: CallContext): Promise<unknown> {
    while (switching !== null) await switching.catch(() => undefined)
    // One method among many: TypeScript cannot relate the name to its parameters.
    const handler = current.backend.handlers[method] as AnyHandler
    const work = handler(params, context)
    const settled = work.then(
      () => undefined,
      () => undefined,
    )
    running.add(settled)
    try {
      return await work
    } finally {
      running.delete(settled)
    }
  }

  async function callsEnded(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const grace = new Promise((resolve) => (timer = setTimeout(resolve, options.graceMs ?? GRACE_MS)))
    await Promise.race([Promise.all(running), grace])
    clearTimeout(timer)
  }

  async function change(dir: string): Promise<string> {
    await callsEnded()
    const last = current
    last.backend.refuseBusy()
    const next = await options.open(dir)
    stopEvents()
    current = next
    stopEvents = forward(next)
    await last.backend.close().catch((error: unknown) => log(`closing ${last.dir}: ${String(error)}`))
    const { id, name } = await projectOf(next)
    events.emit('project.opened', { id, name })
    return id
  }

  const own: Pick<Handlers, 'project.open' | 'project.recent'> = {
    'project.open': async ({ fileId }) => {
      while (switching !== null) await switching.catch(() => undefined)
      if (closing !== null) throw new CodedError('connection-lost', 'Maskwright is closing; nothing was changed.')
      const dir = current.backend.pathOf(fileId)
      if (isSame(dir, current.dir)) return { id: (await projectOf(current)).id }
      current.backend.refuseBusy()
      const changed = change(dir)
      switching = changed
      try {
        return { id: await changed }
      } finally {
        switching = null
      }
    },
    'project.recent': async () =>
      options
        .recent()
        .filter(({ dir }) => !isSame(dir, current.dir))
        .map(({ dir, name, isDemo }) => ({ folder: entry(dir), name, path: dir, isDemo })),
  }

  function entry(dir: string): FileEntry {
    return current.backend.registerFile(dir, 'open')
  }

  const served = Object.keys(methods).map((name) => {
    const method = name as MethodName
    return [method, (params: unknown, context: CallContext) => call(method, params, context)]
  })

  return {
    handlers: { ...(Object.fromEntries(served) as unknown as Handlers), ...own },
    events,
    registerFile: (path, purpose) => current.backend.registerFile(path, purpose),
    get current() {
      return current
    },
    close() {
      closing ??= (async () => {
        while (switching !== null) await switching.catch(() => undefined)
        await current.backend.close()
        stopEvents()
      })()
      return closing
    },
  }
}

function isSame(a: string, b: string): boolean {
  return realPath(a) === realPath(b)
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

async function projectOf({ backend }: OpenProject): Promise<Project> {
  return backend.handlers['project.get']({}, { signal: new AbortController().signal, sessionId: 'host' })
}
