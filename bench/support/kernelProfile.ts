import * as tf from '@tensorflow/tfjs-core'
import { median } from './report.ts'

/** What lies between kernels: TensorFlow.js itself, JavaScript loops, allocation. */
const OUTSIDE = 'outside kernels'

/**
 * Milliseconds by kernel that one call of `work` spends on the current backend, as medians over `runs` calls, largest
 * first, and what it spends outside of kernels. A kernel that calls others counts only what is its own. On backends that
 * work asynchronously (webgpu) this is the time until a kernel is handed over, not until it is done.
 */
export async function profile(work: () => Promise<unknown>, runs = 10): Promise<Record<string, number>> {
  const clock = wrapKernels(tf.getBackend())
  const samples: Map<string, number>[] = []
  try {
    for (let run = 0; run < runs; run++) {
      clock.spent.clear()
      const start = performance.now()
      await work()
      const total = performance.now() - start
      const inside = [...clock.spent.values()].reduce((sum, ms) => sum + ms, 0)
      samples.push(new Map([...clock.spent, [OUTSIDE, total - inside]]))
    }
  } finally {
    clock.restore()
  }
  const names = new Set(samples.flatMap((sample) => [...sample.keys()]))
  const medians = [...names].map((name): [string, number] => [
    name,
    Math.round(100 * median(samples.map((sample) => sample.get(name) ?? 0))) / 100,
  ])
  return Object.fromEntries(medians.sort(([, a], [, b]) => b - a))
}

/** Puts a clock around every kernel of a backend. */
function wrapKernels(backend: string): { spent: Map<string, number>; restore: () => void } {
  const spent = new Map<string, number>()
  /** What the kernels that were called from the running one have taken, innermost last. */
  const nested: number[] = []
  const kernels = tf.getKernelsForBackend(backend)
  for (const kernel of kernels) {
    tf.unregisterKernel(kernel.kernelName, backend)
    tf.registerKernel({
      ...kernel,
      kernelFunc: (args) => {
        nested.push(0)
        const start = performance.now()
        try {
          return kernel.kernelFunc(args)
        } finally {
          const total = performance.now() - start
          const own = total - (nested.pop() ?? 0)
          spent.set(kernel.kernelName, (spent.get(kernel.kernelName) ?? 0) + own)
          const outer = nested.length - 1
          if (outer >= 0) nested[outer] = (nested[outer] ?? 0) + total
        }
      },
    })
  }
  return {
    spent,
    restore: () => {
      for (const kernel of kernels) {
        tf.unregisterKernel(kernel.kernelName, backend)
        tf.registerKernel(kernel)
      }
    },
  }
}
