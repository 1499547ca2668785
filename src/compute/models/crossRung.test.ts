import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { runChild, swiftshaderEnv, WITHOUT_SWIFTSHADER } from '../testing/swiftshader.ts'
import { KINDS } from './testing/modelFolders.ts'

const MINUTES = 60_000
const CLASSES = 3
const script = path.join(import.meta.dirname, 'testing', 'rungChild.ts')
const names = KINDS.map(({ normalization, upsampling }) => `${normalization}-${upsampling}`).sort()
const graphics = swiftshaderEnv()

let dir = ''
/** Where the models are that a rung trained. */
const modelsOf = (rung: string) => path.join(dir, rung)
/** Of the models that `wasm` trained. */
let onWasm = new Map<string, number[]>()

const resultSchema = z.object({ kind: z.string(), logits: z.array(z.number()) })

/** Throws with what the child printed when it did not come to its end. */
async function run(rung: string, what: 'train' | 'predict', folder: string): Promise<Map<string, number[]>> {
  const { messages, code, signal, stderr } = await runChild(script, [rung, what, folder], graphics ?? {})
  const last = messages.at(-1)
  if (!z.object({ done: z.literal(true) }).safeParse(last).success) {
    throw new Error(`${rung} ended with ${code ?? signal ?? ''}: ${stderr.slice(-2000)}`)
  }
  return new Map(
    messages.slice(0, -1).map((message) => {
      const { kind, logits } = resultSchema.parse(message)
      return [kind, logits]
    }),
  )
}

beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'maskwright-rungs-'))
  await Promise.all(['wasm', 'native'].map((rung) => mkdir(modelsOf(rung))))
  await run('wasm', 'train', modelsOf('wasm'))
  onWasm = await run('wasm', 'predict', modelsOf('wasm'))
}, 5 * MINUTES)

afterAll(async () => {
  await rm(dir, { recursive: true, force: true })
})

/** The two largest logits of a pixel and the class of the first. */
function top(logits: readonly number[], pixel: number): { label: number; margin: number } {
  const values = logits.slice(pixel * CLASSES, (pixel + 1) * CLASSES)
  const [first = NaN, second = NaN] = values.toSorted((a, b) => b - a)
  return { label: values.indexOf(first), margin: first - second }
}

/** Logits within 1e-4 of the largest there is, and the same label wherever it is not a toss-up by as little. */
function expectSame(found: readonly number[], expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length)
  const tolerance = 1e-4 * Math.max(...expected.map(Math.abs))
  const worst = found.reduce((most, value, i) => Math.max(most, Math.abs(value - (expected[i] ?? NaN))), 0)
  expect(worst).toBeLessThan(tolerance)
  let labels = 0
  for (let pixel = 0; pixel < expected.length / CLASSES; pixel++) {
    const { label, margin } = top(expected, pixel)
    if (label > 0) labels++
    if (margin > tolerance) expect(top(found, pixel).label).toBe(label)
  }
  // Pictures of which a network makes nothing would prove nothing.
  expect(labels).toBeGreaterThan(0)
}

describe('a model trained and saved on wasm', () => {
  it('comes in every kind', () => {
    expect([...onWasm.keys()]).toEqual(names)
  })

  it(
    'predicts the same on js',
    async () => {
      const found = await run('js', 'predict', modelsOf('wasm'))
      for (const name of names) expectSame(found.get(name) ?? [], onWasm.get(name) ?? [NaN])
    },
    5 * MINUTES,
  )

  it(
    'predicts the same on native',
    async () => {
      const found = await run('native', 'predict', modelsOf('wasm'))
      for (const name of names) expectSame(found.get(name) ?? [], onWasm.get(name) ?? [NaN])
    },
    5 * MINUTES,
  )

  it.skipIf(graphics === null)(
    `predicts the same on webgpu (skipped where ${WITHOUT_SWIFTSHADER})`,
    async () => {
      const found = await run('webgpu', 'predict', modelsOf('wasm'))
      for (const name of names) expectSame(found.get(name) ?? [], onWasm.get(name) ?? [NaN])
    },
    5 * MINUTES,
  )
})

describe('a model trained and saved on native', () => {
  it(
    'predicts the same on wasm',
    async () => {
      await run('native', 'train', modelsOf('native'))
      const native = await run('native', 'predict', modelsOf('native'))
      const wasm = await run('wasm', 'predict', modelsOf('native'))
      expect([...native.keys()].sort()).toEqual(names)
      for (const name of names) expectSame(native.get(name) ?? [], wasm.get(name) ?? [NaN])
    },
    5 * MINUTES,
  )
})
