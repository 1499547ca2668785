import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { runChild, swiftshaderEnv, WITHOUT_SWIFTSHADER } from '../../testing/swiftshader.ts'

const env = swiftshaderEnv()
const script = path.join(import.meta.dirname, 'testing/kernelsChild.ts')

describe.skipIf(env === null)(`operations on webgpu (else: ${WITHOUT_SWIFTSHADER})`, () => {
  it('agree with the js backend, for odd sizes, single pixels and single channels, and so do their gradients', async () => {
    const { messages, code, stderr } = await runChild(script, [], env ?? {})
    // The Vulkan loader may have something to say, of a machine without a screen for instance.
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    expect(messages.length).toBeGreaterThan(200)
    expect(messages.filter((message) => !isClose(message))).toEqual([])
  }, 180_000)
})

function isClose(message: unknown): boolean {
  if (!(message instanceof Object) || !('difference' in message)) return false
  return typeof message.difference === 'number' && message.difference < 2e-4
}
