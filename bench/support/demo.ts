import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createComputeProcess } from '../../src/backend/compute/process.ts'
import { generateCtCase, type CtCase } from '../../src/backend/demo/phantomCt.ts'
import { DEMO_SEEDS } from '../../src/backend/demo/seeds.ts'
import { findPlaces } from '../../src/backend/host/places.ts'
import { createBackend, createDemoProject, type Backend } from '../../src/backend/index.ts'
import { methods, type EventName, type EventPayload, type MethodName } from '../../src/core/contract/index.ts'
import type { MethodParams, MethodResult } from '../../src/core/contract/index.ts'

/** The demo project in a temporary folder, served by a backend in this process with a real compute process. */
export interface DemoBackend {
  readonly folder: string
  readonly backend: Backend
  /** The case that opens first, and what is true of it. */
  readonly caseId: string
  readonly truth: CtCase
  readonly call: <M extends MethodName>(method: M, params: MethodParams<M>) => Promise<MethodResult<M>>
  /** The first event of the name that fits, and when it came (performance.now). */
  readonly next: <E extends EventName>(
    name: E,
    fits: (payload: EventPayload<E>) => boolean,
  ) => Promise<{ at: number; payload: EventPayload<E> }>
}

export function temporaryFolder(): string {
  return mkdtempSync(path.join(tmpdir(), 'maskwright-bench-'))
}

export async function openDemo(): Promise<DemoBackend> {
  const folder = temporaryFolder()
  const projectDir = path.join(folder, 'demo')
  const places = findPlaces()
  await createDemoProject(projectDir, { modelDir: places.modelDir })
  const compute = createComputeProcess({ nodePath: places.nodePath, entry: places.computeEntry })
  const backend = await createBackend({ projectDir, compute, version: places.version, shell: 'test' })
  await compute.call('status', {})
  const context = { signal: new AbortController().signal, sessionId: 'bench' }
  const call = async <M extends MethodName>(method: M, params: MethodParams<M>): Promise<MethodResult<M>> => {
    // One method among many: TypeScript cannot relate a generic key's parameters to its handler.
    const handler = backend.handlers[method] as (params: unknown, context: unknown) => Promise<unknown>
    return (await handler(methods[method].params.parse(params), context)) as MethodResult<M>
  }
  const project = await call('project.get', {})
  const caseId = project.lastCaseId ?? project.cases[0]?.id
  if (caseId === undefined) throw new Error('The demo project has no case.')
  return {
    folder,
    backend,
    caseId,
    truth: generateCtCase(DEMO_SEEDS.ct[0]),
    call,
    next: (name, fits) =>
      new Promise((resolve) => {
        const stop = backend.events.on((told, payload) => {
          const known = payload as EventPayload<typeof name>
          if (told !== name || !fits(known)) return
          stop()
          resolve({ at: performance.now(), payload: known })
        })
      }),
  }
}
