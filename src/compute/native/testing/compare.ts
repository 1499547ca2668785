import '@tensorflow/tfjs-backend-cpu'
// Registers the gradients of all operations.
import '@tensorflow/tfjs-layers'
import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'vitest'
import { startNative } from '../start.ts'

/** Starts the recorder on the processor, for a test file; call it in beforeAll. */
export async function startForTests(): Promise<void> {
  await startNative({ provider: 'cpu', threads: 1, packagesDir: null })
}

/**
 * Runs a function of TensorFlow.js on the `js` backend and on the recorder, and compares shapes, types and elements: a
 * difference of `tolerance` relative to the largest element is allowed. The function makes its inputs itself, of plain
 * arrays, so that each backend has its own.
 */
export async function expectSame(run: () => tf.Tensor | tf.Tensor[], tolerance = 1e-5): Promise<void> {
  const expected = await resultsOn('cpu', run)
  const given = await resultsOn('native', run)
  expect(given.map(({ shape, dtype }) => ({ shape, dtype }))).toEqual(
    expected.map(({ shape, dtype }) => ({ shape, dtype })),
  )
  given.forEach(({ values }, index) => {
    const wanted = expected[index]?.values ?? []
    const scale = wanted.reduce(
      (most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most),
      1e-3,
    )
    const place = values.findIndex((value, i) => !isClose(value, wanted[i] ?? NaN, tolerance * scale))
    expect(place < 0 ? null : { place, given: values[place], wanted: wanted[place] }).toBeNull()
  })
}

function isClose(a: number, b: number, tolerance: number): boolean {
  return Object.is(a, b) || a === b || Math.abs(a - b) <= tolerance
}

async function resultsOn(backend: string, run: () => tf.Tensor | tf.Tensor[]) {
  await tf.setBackend(backend)
  const before = tf.memory().numTensors
  const results = tf.tidy(() => [run()].flat())
  try {
    return await Promise.all(
      results.map(async (tensor) => {
        return { shape: tensor.shape, dtype: tensor.dtype, values: Array.from(await tensor.data()) }
      }),
    )
  } finally {
    tf.dispose(results)
    expect(tf.memory().numTensors).toBe(before)
  }
}
