import path from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { runChild, swiftshaderEnv, WITHOUT_SWIFTSHADER } from '../testing/swiftshader.ts'

const env = swiftshaderEnv()
const script = path.join(import.meta.dirname, 'testing/webgpuTrainingChild.ts')
const MINUTES = 60_000
const trainingSchema = z.object({
  kind: z.object({ normalization: z.string(), upsampling: z.string() }),
  losses: z.number(),
  weights: z.number(),
  logits: z.number(),
  fell: z.number(),
  tensors: z.number(),
})

describe.skipIf(env === null)(`training on webgpu (else: ${WITHOUT_SWIFTSHADER})`, () => {
  let messages: readonly unknown[] = []

  // One process for all: most of the time goes into making the programs, which the kinds of networks share.
  beforeAll(async () => {
    const ended = await runChild(script, [], env ?? {})
    expect({ code: ended.code, stderr: ended.code === 0 ? '' : ended.stderr }).toEqual({ code: 0, stderr: '' })
    messages = ended.messages
  }, 5 * MINUTES)

  it.each(['none nearest', 'instance transposed', 'group nearest', 'batch nearest'])(
    'for 20 steps agrees with wasm: normalization and up-sampling %s',
    (name) => {
      const results = messages.slice(0, -1).map((message) => trainingSchema.parse(message))
      const result = results.find(({ kind }) => `${kind.normalization} ${kind.upsampling}` === name)
      const { losses = NaN, weights = NaN, logits = NaN, fell, tensors } = result ?? {}
      expect(Math.max(losses, weights, logits)).toBeLessThan(1e-3)
      // It did learn, and left nothing behind.
      expect(fell).toBeLessThan(0.9)
      expect(tensors).toBe(0)
    },
  )

  it('passes the self-test', () => {
    expect(messages.at(-1)).toMatchObject({ ok: true, difference: null })
  })
})
