import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { cleanUp, openWithCase, type TestBackend } from '../src/backend/testing/fixtures.ts'
import { deltaRuns, encodeRuns } from '../src/core/labelmap/index.ts'
import type { Box, Dims, StrokeDelta } from '../src/core/contract/index.ts'
import { median, p95, result, timed, type BenchResult } from './support/report.ts'

const DIMS: Dims = [512, 512, 64]
const STROKES = 300
const RADIUS = 20

/** Commit, undo and redo of brush strokes in a real project, against bare appends to SQLite in the same file mode. */
export async function suite(): Promise<BenchResult[]> {
  const test = await openWithCase({ dims: DIMS })
  try {
    const painter = createPainter()
    const strokes = Array.from({ length: STROKES }, (_, n) => painter(n))
    const bare = bareAppends(strokes)
    const reference = { name: 'bare SQLite append, WAL, synchronous=FULL', median: median(bare) }
    const params = { dims: DIMS.join('x'), radius: RADIUS, strokes: STROKES }
    const commit = await timed(STROKES, 0, (n) => commitStroke(test, strokes[n], n))
    const undo = await timed(STROKES, 0, () => test.call('annotation.undo', { caseId: test.caseId }))
    const redo = await timed(STROKES, 0, () => test.call('annotation.redo', { caseId: test.caseId }))
    return [
      result({ name: 'stroke-commit', params, values: commit, reference, budget: 'p95 at most 10 ms' }),
      result({ name: 'undo', params, values: undo, reference, budget: 'p95 at most 16 ms' }),
      result({ name: 'redo', params, values: redo, reference, budget: 'p95 at most 16 ms' }),
      result({ name: 'bare-append', params: { ...params, p95: Number(p95(bare).toPrecision(3)) }, values: bare }),
    ]
  } finally {
    await cleanUp()
  }
}

async function commitStroke(
  test: TestBackend & { caseId: string },
  stroke: StrokeDelta | undefined,
  n: number,
): Promise<void> {
  if (stroke === undefined) throw new Error('There is a stroke for each run.')
  await test.call('annotation.commit', { caseId: test.caseId, delta: { ...stroke, baseRevision: n } })
}

/** Strokes as a hand makes them: disks along a short path, on one of twenty slices, over what earlier ones left. */
function createPainter(): (n: number) => StrokeDelta {
  const slices = new Map<number, Uint8Array>()
  return (n) => {
    const index = 20 + (n % 20)
    const slice = slices.get(index) ?? new Uint8Array(DIMS[0] * DIMS[1])
    slices.set(index, slice)
    const x = 60 + ((n * 97) % 360)
    const y = 60 + ((n * 61) % 360)
    const box: Box = { min: [x - RADIUS, y - RADIUS, index], max: [x + 40 + RADIUS, y + RADIUS + 1, index + 1] }
    const label = 1 + (n % 2)
    const [width, height] = [box.max[0] - box.min[0], box.max[1] - box.min[1]]
    const before = new Uint8Array(width * height)
    for (let row = 0; row < height; row++) {
      const from = box.min[0] + DIMS[0] * (box.min[1] + row)
      before.set(slice.subarray(from, from + width), row * width)
    }
    const after = before.map((old, i) => {
      const along = Math.max(0, Math.min(40, (i % width) - RADIUS))
      const [dx, dy] = [(i % width) - RADIUS - along, Math.floor(i / width) - RADIUS]
      return dx * dx + dy * dy <= RADIUS * RADIUS ? label : old
    })
    for (let row = 0; row < height; row++) {
      slice.set(after.subarray(row * width, (row + 1) * width), box.min[0] + DIMS[0] * (box.min[1] + row))
    }
    return { id: randomUUID(), baseRevision: n, kind: 'brush', label, axis: 2, box, runs: deltaRuns(before, after) }
  }
}

/** Milliseconds of one durable insert of each stroke's bytes, with nothing around it. */
function bareAppends(strokes: readonly StrokeDelta[]): number[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'maskwright-bench-'))
  const db = new DatabaseSync(path.join(folder, 'bare.sqlite'))
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE strokes (id TEXT, runs BLOB)')
    const insert = db.prepare('INSERT INTO strokes VALUES (?, ?)')
    return strokes.map(({ id, runs }) => {
      const bytes = encodeRuns(runs)
      const started = performance.now()
      insert.run(id, bytes)
      return performance.now() - started
    })
  } finally {
    db.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
