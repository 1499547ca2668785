import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createProgram, isRecording } from '../runtime/program.ts'
import { NativeBackend } from './backend.ts'
import { nativeRecorder } from './program.ts'
import { startForTests } from './testing/compare.ts'
import type { Program } from '../runtime/program.ts'

beforeAll(startForTests)

let tensors = 0
let owned: { dispose(): void }[] = []

function own<T extends { dispose(): void }>(value: T): T {
  owned.push(value)
  return value
}

beforeEach(() => {
  tensors = tf.memory().numTensors
  owned = []
})

afterEach(() => {
  for (const each of owned) each.dispose()
  expect(tf.memory().numTensors).toBe(tensors)
  vi.restoreAllMocks()
})

function variable(values: number[]): tf.Variable {
  return own(tf.tidy(() => tf.variable(tf.tensor1d(values))))
}

async function first(program: Program, ...inputs: tf.Tensor[]): Promise<number[]> {
  const results = await program.run(inputs)
  try {
    return [...((await results[0]?.data()) ?? [])]
  } finally {
    tf.dispose([...inputs, ...results])
  }
}

const sumOf = ([x, y]: readonly tf.Tensor[]) => [tf.add(x ?? 0, y ?? 0)]

describe('a program', () => {
  it('is recorded', () => {
    expect(isRecording()).toBe(true)
  })

  it('runs with other inputs of the same shapes without running its body again, and with other shapes', async () => {
    const body = vi.fn(sumOf)
    const program = own(createProgram(body))
    expect(await first(program, tf.tensor1d([1, 2]), tf.scalar(10))).toEqual([11, 12])
    const traced = body.mock.calls.length
    expect(await first(program, tf.tensor1d([3, 4]), tf.scalar(20))).toEqual([23, 24])
    expect(body).toHaveBeenCalledTimes(traced)
    expect(await first(program, tf.tensor1d([1, 2, 3]), tf.tensor1d([1]))).toEqual([2, 3, 4])
    expect(await first(program, tf.tensor1d([5, 6]), tf.scalar(1))).toEqual([6, 7])
  })

  it('takes inputs that are not computed yet, and gives one back as a result', async () => {
    const program = own(createProgram(([x]) => [x ?? tf.scalar(0), x ?? tf.scalar(0)]))
    const pending = tf.tidy(() => tf.add(tf.tensor1d([1, 2]), 1))
    const [a, b] = await program.run([pending])
    expect([...((await a?.data()) ?? [])]).toEqual([2, 3])
    expect([...((await b?.data()) ?? [])]).toEqual([2, 3])
    tf.dispose([pending, a ?? [], b ?? []])
  })

  it('takes an array as it was when a tensor was made of it', async () => {
    const values = Float32Array.of(1, 2)
    const given = tf.tensor1d(values)
    const sum = tf.add(given, 1)
    values.fill(9)
    expect([...(await sum.data())]).toEqual([2, 3])
    const program = own(createProgram(([x]) => [tf.add(x ?? 0, tf.tensor1d(values))]))
    expect(await first(program, given)).toEqual([10, 11])
    values.fill(5)
    expect(await first(program, sum)).toEqual([11, 12])
  })

  it('reads variables as they are at each run and assigns them', async () => {
    const count = variable([0, 10])
    const seen = own(
      createProgram(([x]) => {
        count.assign(tf.add(count, x ?? 0))
        return [tf.add(count, 100)]
      }),
    )
    expect(await first(seen, tf.scalar(1))).toEqual([101, 111])
    expect([...count.dataSync()]).toEqual([1, 11])
    expect(await first(seen, tf.scalar(2))).toEqual([103, 113])
    tf.tidy(() => {
      count.assign(tf.tensor1d([50, 60]))
    })
    expect(await first(seen, tf.scalar(1))).toEqual([151, 161])
    // Not computed yet.
    tf.tidy(() => {
      count.assign(tf.add(count, 1))
    })
    expect(await first(seen, tf.scalar(0))).toEqual([152, 162])
  })

  it('leaves variables alone where the results are not accepted', async () => {
    const count = variable([1])
    const accept = async ([result]: readonly tf.Tensor[]) => Number.isFinite((await result?.data())?.[0])
    const program = own(
      createProgram(
        ([x]) => {
          count.assign(tf.add(count, 1))
          return [tf.add(x ?? 0, 0)]
        },
        { accept },
      ),
    )
    expect(await first(program, tf.scalar(0))).toEqual([0])
    expect(await first(program, tf.scalar(NaN))).toEqual([NaN])
    expect([...count.dataSync()]).toEqual([2])
  })

  it('keeps variables apart that shared their values when it was recorded', async () => {
    const a = variable([1, 2])
    const b = variable([0, 0])
    const copy = own(tf.clone(a))
    b.assign(a)
    const program = own(
      createProgram(() => {
        a.assign(tf.add(a, 1))
        return [tf.add(tf.add(a, b), copy)]
      }),
    )
    expect(await first(program)).toEqual([4, 7])
    expect(await first(program)).toEqual([5, 8])
    b.assign(a)
    expect(await first(program)).toEqual([8, 11])
    expect([...b.dataSync()]).toEqual([3, 4])
    expect([...(await copy.data())]).toEqual([1, 2])
  })

  it('keeps variables apart that share their values while random numbers are drawn', async () => {
    const a = variable([1, 2])
    const b = variable([5, 5])
    let drawn = 0
    const program = own(
      createProgram(() => {
        a.assign(tf.add(a, tf.scalar(drawn++)))
        return [tf.add(a, b)]
      }),
    )
    for (const sums of [
      [6, 7],
      [7, 8],
      [9, 10],
    ]) {
      expect(await first(program)).toEqual(sums)
    }
    b.assign(a)
    expect(await first(program)).toEqual([11, 13])
    expect(await first(program)).toEqual([15, 17])
    expect([...b.dataSync()]).toEqual([4, 5])
  })

  it('runs one after the other what is asked for at once', async () => {
    const sum = variable([0])
    const program = own(
      createProgram(([x]) => {
        sum.assign(tf.add(sum, x ?? 0))
        return [tf.add(sum, 0)]
      }),
    )
    const runs = [1, 2, 3].map((x) => first(program, tf.scalar(x)))
    expect(await Promise.all(runs)).toEqual([[1], [3], [6]])
    expect([...sum.dataSync()]).toEqual([6])
  })

  it('takes over tensors of outside, also such as are not computed yet', async () => {
    const outside = own(tf.tidy(() => tf.add(tf.tensor1d([1, 2]), 1)))
    const program = own(createProgram(([x]) => [tf.add(x ?? 0, outside)]))
    expect(await first(program, tf.scalar(1))).toEqual([3, 4])
    expect(await first(program, tf.scalar(2))).toEqual([4, 5])
  })

  it('feeds random numbers, drawn anew for each run in the order in which they would be', async () => {
    let drawn = 0
    const program = own(createProgram(() => [tf.add(tf.tensor1d([1, 2]), tf.scalar(drawn++))]))
    for (const k of [0, 1, 2, 3]) expect(await first(program)).toEqual([1 + k, 2 + k])
  })

  it('is recorded anew when a frozen variable changed', async () => {
    const weights = variable([1, 2])
    const body = vi.fn(([x]: readonly tf.Tensor[]): tf.Tensor[] => [tf.add(x ?? 0, weights)])
    const backend = tf.backend()
    if (!(backend instanceof NativeBackend)) throw new Error('The recorder is the backend.')
    const program = own(nativeRecorder(backend, { freezes: true }).createProgram(body, { frozen: true }))
    expect(await first(program, tf.scalar(1))).toEqual([2, 3])
    const traced = body.mock.calls.length
    expect(await first(program, tf.scalar(2))).toEqual([3, 4])
    expect(body).toHaveBeenCalledTimes(traced)
    tf.tidy(() => {
      weights.assign(tf.tensor1d([5, 5]))
    })
    expect(await first(program, tf.scalar(2))).toEqual([7, 7])
    expect(body.mock.calls.length).toBeGreaterThan(traced)
  })

  it('computes, and is recorded, beside a tensor that cannot be computed', async () => {
    const weights = variable([1, 2])
    const outside = own(tf.tidy(() => tf.gather(tf.tensor1d([1, 2]), tf.tensor1d([5], 'int32'))))
    const program = own(createProgram(([x]) => [tf.add(x ?? 0, weights)]))
    const pending = tf.tidy(() => tf.add(tf.tensor1d([1, 2]), 1))
    expect(await first(program, pending)).toEqual([3, 5])
    await expect(outside.data()).rejects.toThrow('could not compute')
    tf.tidy(() => {
      weights.assign(tf.add(weights, 1))
    })
    expect([...(await weights.data())]).toEqual([2, 3])
  })

  it('changes nothing when its body fails', async () => {
    const count = variable([1])
    const program = own(
      createProgram(() => {
        count.assign(tf.add(count, 1))
        throw new Error('It fails.')
      }),
    )
    await expect(program.run([])).rejects.toThrow('It fails.')
    expect([...count.dataSync()]).toEqual([1])
    const reading = own(createProgram(() => [tf.tensor1d(tf.add(count, 1).dataSync<'float32'>())]))
    await expect(reading.run([])).rejects.toThrow('data()')
  })

  it('takes a variable over from another backend', async () => {
    await tf.setBackend('cpu')
    const count = variable([1])
    await tf.setBackend('native')
    const program = own(
      createProgram(() => {
        count.assign(tf.add(count, 1))
        return [count]
      }),
    )
    expect(await first(program)).toEqual([2])
    expect(await first(program)).toEqual([3])
  })
})
