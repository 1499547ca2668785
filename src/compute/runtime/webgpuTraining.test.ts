import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { runChild, swiftshaderEnv, WITHOUT_SWIFTSHADER } from '../testing/swiftshader.ts'

const env = swiftshaderEnv()
const script = path.join(import.meta.dirname, 'testing/webgpuTrainingChild.ts')
const MINUTES = 60_000
const resultSchema = z.object({
  losses: z.number(),
  weights: z.number(),
  logits: z.number(),
  fell: z.number(),
  tensors: z.number(),
})

describe.skipIf(env === null)(`training on webgpu (else: ${WITHOUT_SWIFTSHADER})`, () => {
  it.each([
    ['none', 'nearest'],
    ['instance', 'transposed'],
    ['group', 'nearest'],
    ['batch', 'nearest'],
  ])(
    'for 20 steps agrees with wasm: normalization %s, up-sampling %s',
    async (normalization, upsampling) => {
      const { messages, code, stderr } = await runChild(script, [normalization, upsampling], env ?? {})
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      const { losses, weights, logits, fell, tensors } = resultSchema.parse(messages[0])
      expect(Math.max(losses, weights, logits)).toBeLessThan(1e-3)
      // It did learn, and left nothing behind.
      expect(fell).toBeLessThan(0.9)
      expect(tensors).toBe(0)
    },
    3 * MINUTES,
  )
})
