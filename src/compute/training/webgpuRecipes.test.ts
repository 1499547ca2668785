import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { runChild, swiftshaderEnv, WITHOUT_SWIFTSHADER } from '../testing/swiftshader.ts'

const env = swiftshaderEnv()
const script = path.join(import.meta.dirname, 'testing/webgpuRecipesChild.ts')

describe.skipIf(env === null)(`losses and steps of recipes on webgpu (else: ${WITHOUT_SWIFTSHADER})`, () => {
  it('come to what the js backend comes to', async () => {
    const { messages, code, stderr } = await runChild(script, [], env ?? {})
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    expect(messages.length).toBe(23)
    expect(messages.filter((message) => !isClose(message))).toEqual([])
  }, 180_000)
})

function isClose(message: unknown): boolean {
  if (!(message instanceof Object) || !('difference' in message)) return false
  return typeof message.difference === 'number' && message.difference < 1e-3
}
