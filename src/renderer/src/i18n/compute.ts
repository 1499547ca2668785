import type { ComputeSettings, Provider, Rung } from '../../../core/contract/index.ts'
import { formatBytes, formatCount } from './format.ts'

/** The time of a step: exact enough to compare, no more. */
function stepTime(ms: number): string {
  if (ms >= 10_000) return `${formatCount(Math.round(ms / 1000))} s`
  return `${ms < 10 ? ms.toFixed(1) : formatCount(Math.round(ms))} ms`
}

/** The Compute panel. */
export const computeWords = {
  title: 'Compute',
  intro: 'How this computer predicts and trains, and why. The fastest way that passes its self-test is used.',
  loading: 'Asking the compute process…',
  checking: 'Checking every way; this can take a minute…',
  switching: 'Starting compute again…',
  rungs: {
    native: 'ONNX Runtime',
    cuda: 'NVIDIA graphics card, CUDA',
    webgpu: 'Graphics card, WebGPU',
    tensorflow: 'TensorFlow library',
    wasm: 'Processor, WebAssembly',
    js: 'Processor, plain JavaScript',
  } satisfies Record<Rung, string>,
  /** Of the rung `native`. */
  providers: {
    cuda: 'NVIDIA graphics card, CUDA 12',
    dml: 'Graphics card, DirectML',
    coreml: 'Apple processor, Core ML',
    webgpu: 'Graphics card, WebGPU',
    cpu: 'Processor',
  } satisfies Record<Provider, string>,
  inUse: 'in use',
  available: 'available',
  unavailable: 'not available',
  failed: 'fails its self-test',
  passed: (ms: number) => `self-test passed, ${formatCount(Math.round(ms))} ms`,
  step: (ms: number) => `${stepTime(ms)} a step`,
  stepHint: 'One training step of the small network that all are compared with',
  memory: (megabytes: number) => formatBytes(megabytes * 1e6),
  use: 'Use',
  useRung: (name: string) => `Use ${name}`,
  choice: 'Choice',
  automatic: 'Automatic: the fastest that passes its self-test',
  automaticCached: 'Automatic, as found at an earlier start with the same versions and drivers',
  byHand: (name: string) => `${name}, chosen by hand`,
  chooseAutomatically: 'Choose automatically',
  threads: 'Threads',
  threadsLong: 'Threads of the processor that compute uses',
  threadsAutomatic: (count: number) => `Automatic (${formatCount(count)})`,
  threadsBySystem: 'Automatic',
  memoryLabel: 'Memory',
  memoryOf: (process: number, limit: number, free: number, total: number) =>
    `compute holds ${formatBytes(process * 1e6)} of at most ${formatBytes(limit * 1e6)}; ` +
    `${formatBytes(free * 1e6)} of ${formatBytes(total * 1e6)} on this computer are free`,
  versions: 'Versions',
  copy: 'Copy report',
  copied: 'Copied',
  again: 'Check every way again',
} as const

/** What was chosen: a rung, or one provider of `native`. */
export function wayName(chosen: Exclude<ComputeSettings['backend'], 'auto'>): string {
  const { rungs, providers } = computeWords
  const single = Object.entries(providers).find(([provider]) => chosen === `native-${provider}`)
  if (single !== undefined) return `${rungs.native}, ${single[1]}`
  return Object.entries(rungs).find(([rung]) => chosen === rung)?.[1] ?? chosen
}
