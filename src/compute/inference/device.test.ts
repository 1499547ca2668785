import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { runChild, swiftshaderEnv, WITHOUT_SWIFTSHADER } from '../testing/swiftshader.ts'

const env = swiftshaderEnv()
const runSchema = z.object({ passes: z.number(), notices: z.array(z.string()), difference: z.number() })
const reportSchema = z.object({ whole: runSchema, refused: runSchema, left: z.number() })
const child = path.resolve(import.meta.dirname, 'testing/deviceChild.ts')

describe.skipIf(env === null)(`pictures on a graphics device (else: ${WITHOUT_SWIFTSHADER})`, () => {
  it('go through in smaller pieces where the device refuses one, with the same result', async () => {
    const { messages, code, stderr } = await runChild(child, [], env ?? {})
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    expect(messages).toHaveLength(1)
    const report = reportSchema.parse(messages[0])
    expect(report.whole).toEqual({ passes: 1, notices: [], difference: 0 })
    expect(report.refused.notices).toEqual([expect.stringContaining('in smaller pieces')])
    expect(report.refused.passes).toBeGreaterThan(1)
    expect(report.refused.difference).toBeLessThan(1e-4)
    expect(report.left).toBe(0)
  }, 240_000)
})
