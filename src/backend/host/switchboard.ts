import { realpathSync } from 'node:fs'
import type { Project } from '../../core/contract/caseSchemas.ts'
import { CodedError } from '../../core/contract/errors.ts'
import { methods, type CallContext, type Handlers, type MethodName } from '../../core/contract/methods.ts'
import type { FileEntry } from '../../core/contract/schemas.ts'
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
  /** It is the one that is open from now on. */
  readonly opened: (project: OpenProject) => void
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
 * changed. Then calls under way are waited for, those that come wait, and the last project is closed as if the workstation
 * ended: all that was promised is on disk.
 */
export function createSwitchboard(options: SwitchboardOptions): Switchboard {
  const { log } = options
  const events = new EventHub(log)
  const running = new Set<Promise<unknown>>()
  let current = options.first
  let stopEvents = forward(current)
  let switching: Promise<unknown> | null = null
  /** Calls wait: one project gives way to another. */
  let held = false
  let closing: Promise<void> | null = null

  function forward({ backend }: OpenProject): () => void {
    return backend.events.on((name, payload) => events.emit(name, payload as never))
  }

  async function call(method: MethodName, params: unknown, context: CallContext): Promise<unknown> {
    // Strokes that were on their way still belong to the project that they were drawn in.
    while (held && method !== 'annotation.commit') await switching?.catch(() => undefined)
    // One method among many: TypeScript cannot relate the name to its parameters.
    const handler = current.backend.handlers[method] as AnyHandler
    const work = handler(params, context)
    const settled = work.then(
      () => undefined,
      () => undefined,
    )
    running.add(settled)
    void settled.then(() => running.delete(settled))
    return work
  }

  async function callsEnded(): Promise<void> {
    const until = Date.now() + (options.graceMs ?? GRACE_MS)
    while (running.size > 0 && Date.now() < until) {
      let timer: NodeJS.Timeout | undefined
      const over = new Promise((resolve) => (timer = setTimeout(resolve, until - Date.now())))
      await Promise.race([Promise.all(running), over])
      clearTimeout(timer)
    }
  }

  async function change(dir: string): Promise<string> {
    const last = current
    last.backend.refuseBusy()
    const next = await options.open(dir)
    held = true
    try {
      const { id, name } = await projectOf(next)
      await callsEnded()
      // Nothing is waited for from here to the change: no stroke slips in between and finds its project closed.
      last.backend.refuseBusy()
      stopEvents()
      current = next
      stopEvents = forward(next)
      // Before the last one is closed, which can take a while: nothing is drawn in it any more.
      events.emit('project.opened', { id, name })
      await last.backend.close().catch((error: unknown) => log(`closing ${last.dir}: ${String(error)}`))
      options.opened(next)
      return id
    } catch (error) {
      await next.backend.close()
      throw error
    } finally {
      held = false
    }
  }

  const own: Pick<Handlers, 'project.open' | 'project.recent'> = {
    'project.open': async ({ fileId }) => {
      while (switching !== null) await switching.catch(() => undefined)
      if (closing !== null) throw new CodedError('connection-lost', 'Maskwright is closing; nothing was changed.')
      const dir = current.backend.pathOf(fileId)
      if (isSame(dir, current.dir)) return { id: (await projectOf(current)).id }
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
