import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { z } from 'zod'

const printed = z.object({
  started: z.number(),
  address: z.number(),
  digests: z.array(z.tuple([z.string(), z.string()])),
})

async function digests(threads: number, gigabytes = 0): Promise<z.infer<typeof printed>> {
  const script = path.join(import.meta.dirname, 'testing', 'kernelDigests.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [script, String(threads), String(gigabytes)], {
    timeout: 50_000,
  })
  return printed.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''))
}

it('gives the same bits on one, two and three threads, kernel by kernel', async () => {
  const [one, two, three] = [await digests(1), await digests(2), await digests(3)]
  expect([one.started, two.started, three.started]).toEqual([1, 2, 3])
  expect(two.digests).toEqual(one.digests)
  expect(three.digests).toEqual(one.digests)
})

// Addresses are numbers of 32 bits, half of which are negative to whoever takes them for signed.
it('gives the same bits in the upper half of the memory', async () => {
  const [low, high] = [await digests(2), await digests(2, 2.25)]
  expect(low.address).toBeLessThan(2 ** 31)
  expect(high.address).toBeGreaterThan(2 ** 31)
  expect(high.digests).toEqual(low.digests)
})
