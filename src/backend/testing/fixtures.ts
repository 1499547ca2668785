import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CaseSummary } from '../../core/contract/caseSchemas.ts'
import type { EventName, EventPayload } from '../../core/contract/events.ts'
import type { MethodName, MethodParams, MethodResult } from '../../core/contract/methods.ts'
import { methods } from '../../core/contract/methods.ts'
import type { Affine, Axis, Dims, Label, StrokeDelta, StrokeKind } from '../../core/contract/schemas.ts'
import { writeVolume } from '../../imaging/index.ts'
import { createBackend, type Backend } from '../createBackend.ts'
import { createProject, openProject, type Project } from '../project/project.ts'
import type { LivePace } from '../training/live.ts'
import type { ImageAccess } from '../volume/access.ts'
import { FakeCompute } from './fakeCompute.ts'

/** x to the left, y to posterior, z to superior: what the screen shows is what is stored. */
export const LPS: Affine = [
  [-1, 0, 0, 10],
  [0, -1, 0, 20],
  [0, 0, 2, -30],
  [0, 0, 0, 1],
]

/** By axis: its axial slices lie across it. */
export const AXIAL_ACROSS: readonly [Affine, Affine, Affine] = [
  [
    [0, -1, 0, 0],
    [0, 0, 1, 0],
    [1, 0, 0, 0],
    [0, 0, 0, 1],
  ],
  [
    [1, 0, 0, 0],
    [0, 0, 1, 0],
    [0, 1, 0, 0],
    [0, 0, 0, 1],
  ],
  LPS,
]

export const DIMS: Dims = [8, 6, 5]

/** An int16 volume with its own voxel values: a bright block in the middle, 100, and a ramp elsewhere. */
export function volumeData(dims: Dims, seed = 0): Int16Array<ArrayBuffer> {
  const data = new Int16Array(dims[0] * dims[1] * dims[2])
  for (let z = 0, i = 0; z < dims[2]; z++) {
    for (let y = 0; y < dims[1]; y++) {
      for (let x = 0; x < dims[0]; x++, i++) data[i] = insideBlock(x, y) ? 100 : (i + seed) % 40
    }
  }
  return data
}

/** The block of `volumeData`: columns 2 to 4, rows 1 to 3, in every slice. */
export function insideBlock(x: number, y: number): boolean {
  return x >= 2 && x < 5 && y >= 1 && y < 4
}

export interface TestBackend {
  readonly dir: string
  readonly backend: Backend
  readonly compute: FakeCompute
  readonly events: { name: EventName; payload: unknown }[]
  call<M extends MethodName>(method: M, params: MethodParams<M>): Promise<MethodResult<M>>
  told<E extends EventName>(name: E): EventPayload<E>[]
}

export interface WithCase extends TestBackend {
  readonly caseId: string
}

const folders: string[] = []
const opened: Backend[] = []

export function temporaryFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'maskwright-'))
  folders.push(dir)
  return dir
}

/** Closes and removes what the tests of a file opened and made. */
export async function cleanUp(): Promise<void> {
  for (const backend of opened.splice(0)) await backend.close()
  for (const dir of folders.splice(0)) rmSync(dir, { recursive: true, force: true })
}

export function emptyProject(): string {
  const dir = join(temporaryFolder(), 'project')
  createProject(dir, { name: 'Test' }).close()
  return dir
}

/** Calls validate parameters and results, as a connection does. */
export async function openBackend(
  dir: string,
  compute = new FakeCompute(),
  access: Partial<ImageAccess> = {},
  livePace: Partial<LivePace> = {},
): Promise<TestBackend> {
  const backend = await createBackend({ projectDir: dir, compute, version: '0.0.0', shell: 'test', access, livePace })
  opened.push(backend)
  const events: TestBackend['events'] = []
  backend.events.on((name, payload) => events.push({ name, payload }))
  const context = { signal: new AbortController().signal, sessionId: 'session-1' }
  const call = async <M extends MethodName>(method: M, params: MethodParams<M>): Promise<MethodResult<M>> => {
    const parsed = methods[method].params.parse(params)
    // One method among many: TypeScript cannot relate a generic key's parameters to its handler.
    const handler = backend.handlers[method] as (params: unknown, context: unknown) => Promise<unknown>
    return methods[method].result.parse(await handler(parsed, context)) as MethodResult<M>
  }
  return {
    dir,
    backend,
    compute,
    events,
    call,
    told: <E extends EventName>(name: E) =>
      events.filter((event) => event.name === name).map((event) => event.payload as EventPayload<E>),
  }
}

/** The same project in a new backend, as after the program was closed and started again. */
export async function restart(test: TestBackend): Promise<TestBackend> {
  await test.backend.close()
  return openBackend(test.dir)
}

/** Closes the backend; what is done with its project then has it for itself. */
export async function inClosedProject<T>(test: TestBackend, work: (project: Project) => T | Promise<T>): Promise<T> {
  await test.backend.close()
  const project = openProject(test.dir)
  try {
    return await work(project)
  } finally {
    project.close()
  }
}

/** Adds a generated volume; a different seed gives different bytes. */
export async function addVolume(
  test: TestBackend,
  options: { dims?: Dims; seed?: number; affine?: Affine } = {},
): Promise<CaseSummary> {
  const { dims = DIMS, seed = 0, affine = LPS } = options
  const path = join(temporaryFolder(), `volume-${seed}.nii.gz`)
  await writeVolume(path, { dims, affine, data: volumeData(dims, seed) })
  return test.call('case.add', { fileId: test.backend.registerFile(path, 'open').id })
}

/** A backend on a new project with one volume and two labels, 1 and 2. */
export async function openWithCase(
  options: { dims?: Dims; affine?: Affine } = {},
): Promise<WithCase & { labels: [Label, Label] }> {
  const test = await openBackend(emptyProject())
  const first = await test.call('labels.add', { name: 'Liver', color: null })
  const second = await test.call('labels.add', { name: 'Spleen', color: null })
  const { id } = await addVolume(test, options)
  await test.call('case.open', { caseId: id })
  return { ...test, caseId: id, labels: [first, second] }
}

/** The case of a project that has one. */
export async function onlyCase(test: TestBackend): Promise<CaseSummary> {
  const { cases } = await test.call('project.get', {})
  const [found] = cases
  if (found === undefined || cases.length > 1) throw new Error('the project has one case')
  return found
}

/** Turns a rectangle of one label in a slice into another: one run, since it fills its box. */
export function rectangle(options: {
  axis?: Axis
  index: number
  at: [number, number]
  size: [number, number]
  before?: number
  after: number
  kind?: StrokeKind
  id?: string
}): StrokeDelta {
  const { axis = 2, index, at, size, before = 0, after, id = randomUUID() } = options
  const min: Dims = [0, 0, 0]
  const max: Dims = [0, 0, 0]
  const [fast, slow]: [Axis, Axis] = axis === 0 ? [1, 2] : axis === 1 ? [0, 2] : [0, 1]
  min[axis] = index
  max[axis] = index + 1
  min[fast] = at[0]
  max[fast] = at[0] + size[0]
  min[slow] = at[1]
  max[slow] = at[1] + size[1]
  return {
    id,
    baseRevision: 0,
    kind: options.kind ?? (after === 0 ? 'erase' : 'brush'),
    label: after,
    axis,
    box: { min, max },
    runs: Uint32Array.of(0, size[0] * size[1], before, after),
  }
}

/** The whole mask, slice by slice. */
export async function readMaskOf(test: TestBackend, caseId: string, dims: Dims = DIMS): Promise<Uint8Array> {
  const labels = new Uint8Array(dims[0] * dims[1] * dims[2])
  for (let z = 0; z < dims[2]; z++) {
    const { data } = await test.call('annotation.slice', { caseId, axis: 2, index: z, layer: 'mask' })
    labels.set(data, z * dims[0] * dims[1])
  }
  return labels
}

/** Waits until a job has ended. */
export async function jobEnd(test: TestBackend, jobId: string): Promise<MethodResult<'job.cancel'>> {
  for (;;) {
    const { jobs } = await test.call('project.get', {})
    const job = jobs.find((candidate) => candidate.id === jobId)
    if (job !== undefined && job.state !== 'running' && job.state !== 'queued') return job
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
