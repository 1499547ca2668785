import { mkdirSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { build } from 'vite'
import { writeVolume } from '../src/imaging/index.ts'
import { temporaryFolder } from './support/demo.ts'
import { jsonFrom, median, result, type BenchResult } from './support/report.ts'

const DIMS: [number, number, number] = [240, 240, 155]
const DECODED_MB = (DIMS[0] * DIMS[1] * DIMS[2] * 4) / 1e6
/** Rounds in which both readers take their turn, and how often each opens the file in its turn. */
const ROUNDS = 9
const RUNS = 4

const NIBABEL = `
import json, sys, time, nibabel
times = []
for run in range(int(sys.argv[2])):
    started = time.perf_counter()
    nibabel.load(sys.argv[1]).get_fdata()
    times.append((time.perf_counter() - started) * 1000)
print(json.dumps(times))
`

/**
 * Opening a packed volume such as MR gives them: until the middle slice is there, and until every voxel is, against nibabel's
 * `get_fdata`, in turns; and the memory of a process that holds it. Of each turn the first opening does not count.
 */
export async function suite(): Promise<BenchResult[]> {
  const folder = temporaryFolder()
  const bundled = path.join(import.meta.dirname, '..', 'node_modules', '.cache', 'maskwright-bench')
  try {
    const file = path.join(folder, 'volume.nii.gz')
    await writeVolume(file, { dims: DIMS, affine: affine(), data: head() })
    const child = await bundle(bundled)
    const [slice, whole, reference]: [number[], number[], number[]] = [[], [], []]
    for (let round = 0; round < ROUNDS; round++) {
      const own = jsonFrom(process.execPath, [child, 'times', file, String(RUNS)]) as Record<
        'slice' | 'whole',
        number[]
      >
      slice.push(...own.slice.slice(1))
      whole.push(...own.whole.slice(1))
      const other = jsonFrom('/usr/bin/python3', ['-c', NIBABEL, file, String(RUNS)]) as number[] | null
      reference.push(...(other ?? []).slice(1))
    }
    const against = reference.length === 0 ? null : { name: 'nibabel get_fdata', median: median(reference) }
    const params = {
      dims: DIMS.join('x'),
      type: 'float32',
      packedMB: Number((statSync(file).size / 1e6).toPrecision(3)),
    }
    const budget = 'at most 1.0 x nibabel'
    return [
      result({ name: 'first-slice', params, values: slice, reference: against, budget }),
      result({ name: 'whole-volume', params, values: whole, reference: against, budget }),
      residentMemory(child, file, params),
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
    rmSync(bundled, { recursive: true, force: true })
  }
}

function residentMemory(child: string, file: string, params: BenchResult['params']): BenchResult {
  const runs = Array.from({ length: 5 }, () => {
    return jsonFrom(process.execPath, [child, 'memory', file]) as Record<'maxRss' | 'before' | 'decoded', number>
  })
  return result({
    name: 'resident-memory',
    params: { ...params, decodedMB: DECODED_MB, beforeMB: Math.round(median(runs.map(({ before }) => before))) },
    values: runs.map(({ maxRss }) => maxRss),
    unit: 'MB',
    reference: { name: 'decoded size + 100 MB', median: DECODED_MB + 100 },
    budget: 'at most decoded size + 100 MB',
  })
}

/** The reader as the built program has it: one file, packages beside it. */
async function bundle(folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true })
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      ssr: path.join(import.meta.dirname, 'support', 'ioTimes.ts'),
      outDir: folder,
      emptyOutDir: true,
      target: 'node24',
    },
  })
  return path.join(folder, 'ioTimes.js')
}

function affine(): number[][] {
  return [
    [-1, 0, 0, 119],
    [0, -1, 0, 119],
    [0, 0, 1, -77],
    [0, 0, 0, 1],
  ]
}

/**
 * A head: whole numbers as scanners give them, tissue that varies slowly under noise, and air that is noise of a few units, of which
 * scanners cut off the corners. It packs to a fifth, as such volumes do.
 */
function head(): Float32Array<ArrayBuffer> {
  const [nx, ny, nz] = DIMS
  const data = new Float32Array(nx * ny * nz)
  let state = 1
  const noise = (): number => {
    // Two numbers of a linear congruential generator (Numerical Recipes) make a triangle, which is noise enough.
    let sum = 0
    for (let i = 0; i < 2; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      sum += state / 2 ** 31 - 1
    }
    return sum
  }
  let at = 0
  for (let k = 0; k < nz; k++) {
    for (let j = 0; j < ny; j++) {
      for (let i = 0; i < nx; i++, at++) {
        const [x, y, z] = [(2 * i) / nx - 1, (2 * j) / ny - 1, (2 * k) / nz - 1]
        const r = (x / 0.62) ** 2 + (y / 0.75) ** 2 + (z / 0.8) ** 2
        if (r < 1) data[at] = Math.round(400 + 200 * Math.cos(6 * x) * Math.sin(5 * y) * Math.cos(4 * z) + 20 * noise())
        else if (x * x + y * y < 0.95) data[at] = Math.round(Math.abs(3 * noise()))
      }
    }
  }
  return data
}
