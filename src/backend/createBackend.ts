import { CodedError } from '../core/contract/errors.ts'
import type { EventSource } from '../core/contract/events.ts'
import type { Handlers } from '../core/contract/methods.ts'
import type { FileEntry, Job } from '../core/contract/schemas.ts'
import { clearLeftovers } from '../imaging/index.ts'
import type { ComputePort } from './compute/port.ts'
import { createHandlers, type ShellInfo } from './handlers/handlers.ts'
import { openProject } from './project/project.ts'
import { Creator } from './recipes/creator.ts'
import { isUnasked } from './review/ranker.ts'
import { closeServices, createServices, type Services } from './services.ts'
import type { LivePace } from './training/live.ts'
import type { ImageAccess } from './volume/access.ts'

export interface BackendOptions extends ShellInfo {
  /** An existing project folder; `createProject` or `createDemoProject` make one. */
  readonly projectDir: string
  /** Belongs to the backend from here on: `close` ends it. */
  readonly compute: ComputePort
  readonly log?: (line: string) => void
  /** Other ways to get at images, for tests. */
  readonly access?: Partial<ImageAccess>
  /** Another pace of the training between strokes, for tests. */
  readonly livePace?: Partial<LivePace>
}

const WORKING: Record<Job['kind'], string> = {
  predict: 'A prediction is running; wait for it, or cancel it, then open the other project.',
  train: 'A training is running; wait for it, or cancel it, then open the other project.',
  recipe: 'A training is running; wait for it, or cancel it and resume it later, then open the other project.',
  export: 'A data set is being written; wait for it, or cancel it, then open the other project.',
  check: 'Data are being checked; wait for that, or cancel it, then open the other project.',
  rank: 'Slices are being ranked; wait for it, or cancel it, then open the other project.',
  judge: 'Models are being compared; wait for it, or cancel it, then open the other project.',
  create: 'A project is being made; wait for it, or cancel it, then open the other project.',
}

export interface Backend {
  /** `files.openDialog` and `files.saveDialog` answer `unknown-method`; a shell with native dialogs replaces them. */
  readonly handlers: Handlers
  readonly events: EventSource
  readonly project: { readonly name: string; readonly isDemo: boolean }
  /** An id for a path that the user chose in a native dialog; one to open is never saved to. */
  registerFile(path: string, purpose: 'open' | 'save'): FileEntry
  /** The path behind an id of a file or folder to open. Throws CodedError('not-found') for an id that is not known. */
  pathOf(fileId: string): string
  /** Throws CodedError('busy') with a sentence while a job runs or waits. */
  refuseBusy(): void
  /** Ends jobs, writes what waits to be written, ends compute, and releases the project. Safe to call twice. */
  close(): Promise<void>
}

/**
 * Opens a project and gives everything that a shell needs to serve it.
 * Throws CodedError: `no-project`, `busy` where another Maskwright has it open, `bad-file`, `no-permission`; compute is
 * then left to the caller.
 */
export async function createBackend(options: BackendOptions): Promise<Backend> {
  const { compute, version, shell, log = () => undefined } = options
  const project = openProject(options.projectDir)
  let services: Services
  try {
    services = createServices({ project, compute, log, access: options.access ?? {}, livePace: options.livePace })
    services.models.removeLeftOvers()
    services.predictions.forgetUnknown()
    await services.uploads.removeLeftOvers()
    await Promise.all([clearLeftovers(project.folders.exports), clearLeftovers(project.folders.masks)])
    await services.volumes.lookForAll()
  } catch (error) {
    project.close()
    throw error
  }
  const { events } = services
  const creator = new Creator(services)
  let restarts = compute.status().restarts
  const stopStatus = compute.onStatus((status) => {
    events.emit('compute.status', status)
    if (status.restarts > restarts && status.message !== null) {
      events.emit('notice', { level: 'warning', message: status.message })
    }
    restarts = status.restarts
  })
  const stopNotices = compute.onNotice((notice) => events.emit('notice', notice))
  const unsubscribe = (): void => {
    stopStatus()
    stopNotices()
  }
  let closing: Promise<void> | null = null
  return {
    handlers: createHandlers({ ...services, creator }, { version, shell }),
    events,
    project: { name: project.name, isDemo: project.isDemo },
    registerFile: (path, purpose) => services.files.register(path, purpose),
    pathOf: (fileId) => services.files.path(fileId, 'open'),
    refuseBusy: () => {
      const live = services.jobs.live().find((job) => !isUnasked(job))
      if (live !== undefined) throw new CodedError('busy', WORKING[live.job.kind])
    },
    close: () => {
      closing ??= closeServices(services, unsubscribe, [creator])
      return closing
    },
  }
}
