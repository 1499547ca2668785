import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { runChild, swiftshaderEnv, WITHOUT_SWIFTSHADER } from '../../testing/swiftshader.ts'
import type { Overfull, Trained } from './testing/webgpuChild.ts'

const MINUTES = 60_000
const CHILD = path.join(import.meta.dirname, 'testing/webgpuChild.ts')

async function inChild<T>(env: Record<string, string>, ...args: string[]): Promise<T> {
  const { messages, code, stderr } = await runChild(CHILD, args, env)
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
  // Neither ONNX Runtime nor Dawn writes into the host's log.
  expect(stderr).not.toMatch(/onnx|dawn|vulkan|webgpu/i)
  return messages[0] as T
}

const env = swiftshaderEnv()

describe.skipIf(env === null)(`ONNX Runtime on WebGPU (else skipped: ${WITHOUT_SWIFTSHADER})`, () => {
  it('trains as the processor does, and keeps weights on the device', { timeout: 3 * MINUTES }, async () => {
    const [cpu, gpu] = [await inChild<Trained>({}, 'cpu'), await inChild<Trained>(env ?? {}, 'webgpu')]
    expect(cpu.onDevice).toEqual(cpu.losses.slice(1).map(() => null))
    expect(gpu.losses).toHaveLength(cpu.losses.length)
    gpu.losses.forEach((loss, i) => {
      expect(loss / (cpu.losses[i] ?? NaN)).toBeCloseTo(1, 3)
    })
    expect(gpu.losses.at(-1)).toBeLessThan(gpu.losses[0] ?? NaN)
    // Weights and the two moments of each, from the first step on and no more.
    expect(gpu.onDevice).toEqual(gpu.onDevice.map(() => 3 * gpu.weights))
    expect(gpu.afterwards).toBe(0)
  })

  it(
    'says of too much memory that something smaller may go through, and works on',
    { timeout: 2 * MINUTES },
    async () => {
      const results = await inChild<Overfull[]>(env ?? {}, 'webgpu', 'overfill')
      expect(results).toMatchObject(Array(2).fill({ outOfMemory: true, lost: false }))
      for (const { then } of results) expect(then).toBeCloseTo(Math.exp(2), 4)
    },
  )
})
