import path from 'node:path'
import type { TrainingSample } from '../../core/contract/compute.ts'
import { createComputeProcess } from '../compute/process.ts'

/**
 * Run as a process of its own by the test of what is left when a host is killed: trains without end ("train") or has
 * every rung tried ("probe") by a compute process, and says on stdout how far it is. What trains hangs as if in a driver,
 * for ever and without seeing its pipe, when it gets SIGUSR2.
 */
const say = (line: string): boolean => process.stdout.write(`${line}\n`)
const [work = 'train', dir = '.'] = process.argv.slice(2)
const hang = `process.on('SIGUSR2', () => {
  process._rawDebug('hanging')
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
})`
const compute = createComputeProcess({
  nodePath: process.execPath,
  entry: path.resolve(import.meta.dirname, '../../compute/entry.ts'),
  env: {
    MASKWRIGHT_BACKEND: 'wasm',
    MASKWRIGHT_THREADS: '2',
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hang)}`,
  },
  stateDir: dir,
  log: say,
})
const side = 64
const sample: TrainingSample = {
  index: 0,
  width: side,
  height: side,
  channels: 1,
  voxelType: 'uint8',
  data: Uint8Array.from({ length: side * side }, (_, at) => at % 256),
  slope: 1,
  inter: 0,
  low: 0,
  high: 255,
  labels: Uint8Array.from({ length: side * side }, (_, at) => Number(at % 256 > 128)),
  role: 'corrected',
}

say('waiting')
if (work === 'probe') await compute.call('doctor', { fresh: true })
else {
  await compute.call(
    'train',
    {
      parentDir: null,
      outDir: path.join(dir, 'model'),
      modelId: 'm',
      name: 'm',
      createdAt: '2026-01-01T00:00:00Z',
      labels: [{ value: 1, name: 'Label' }],
      samples: [sample],
      steps: 1_000_000,
      seconds: 3600,
      seed: 1,
    },
    { onProgress: ({ step }) => say(`step ${step}`) },
  )
}
say('done')
await compute.close()
