import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { startWasm } from '../runtime/wasm.ts'
import { modelCard } from './card.ts'
import { extendNetwork } from './head.ts'
import { inferenceSettingsSchema, modelSettingsSchema } from '../../core/contract/recipes.ts'
import { buildRecipeNetwork } from './recipeNetwork.ts'
import { buildUNet } from './unet.ts'
import type { LoadedModel } from './files.ts'

const LABELS = [
  { value: 1, name: 'Liver' },
  { value: 4, name: 'Spleen' },
]

/** A network of two levels, whose card may say that it has more. */
function parent(levels = 2): LoadedModel {
  const options = { base: 4, normalization: 'batch', upsampling: 'nearest' } as const
  const network = buildUNet({ ...options, levels: 2, classes: LABELS.length + 1, seed: 1 })
  const architecture = { ...options, name: 'unet-norm', levels, inputChannels: 1, step: 4 } as const
  const identity = { id: 'm', parentId: null, name: 'M', createdAt: '2026-01-01T00:00:00.000Z', labels: LABELS }
  return { network, card: modelCard(identity, { network, architecture, training: null }) }
}

describe('extendNetwork', () => {
  beforeAll(async () => {
    await startWasm(1)
  })

  it('takes over the columns of the labels that both have, by value', async () => {
    const old = parent()
    const network = await extendNetwork(old, [{ value: 9, name: 'Kidney' }, ...LABELS.slice(1)], 5)
    const [before, after] = [old.network, network].map((each) =>
      each.getLayer('logits').getWeights()[0]?.arraySync(),
    ) as [number[][][][], number[][][][]]
    const columns = (kernel: number[][][][], of: number) => kernel[0]?.[0]?.map((row) => row[of])
    expect(columns(after, 0)).toEqual(columns(before, 0))
    expect(columns(after, 2)).toEqual(columns(before, 2))
    expect(columns(after, 1)).not.toEqual(columns(before, 1))
    old.network.dispose()
    network.dispose()
  })

  it('leaves nothing behind where the parent is not what its card says', async () => {
    const old = parent(3)
    const tensors = tf.memory().numTensors
    await expect(extendNetwork(old, LABELS, 5)).rejects.toMatchObject({ code: 'bad-file' })
    expect(tf.memory().numTensors).toBe(tensors)
    old.network.dispose()
  })
})

describe('extendNetwork of a recipe’s model', () => {
  it.each([
    ['softmax with a border', 'softmax', true, [0, 1, null, 2]],
    ['labels for themselves', 'sigmoid', false, [0, null]],
    ['values cut at 0', 'relu', false, [0, null]],
  ] as const)('keeps what each channel stands for: %s', async (_, output, border, sources) => {
    const had = [{ value: 4, name: 'Nucleus' }]
    const outputs = had.length + (output === 'softmax' ? 1 : 0) + (border ? 1 : 0)
    const settings = modelSettingsSchema.parse({
      ...{ kind: 'unet', levels: 1, base: 4, normalization: 'none', upsampling: 'nearest' },
    })
    const built = buildRecipeNetwork(settings, { channels: 3, outputs, seed: 3 })
    const handling = {
      ...{ resize: { kind: 'none' } as const, output, border, instances: null },
      inference: inferenceSettingsSchema.parse({}),
    }
    const input = { colour: { kind: 'rgb' } as const, normalization: { kind: 'none' } as const }
    const identity = { id: 'p', parentId: null, name: 'P', createdAt: '2026-01-01T00:00:00.000Z', labels: had }
    const card = modelCard(identity, { ...built, training: null }, { recipeUse: { input, handling } })
    const labels = [...had, { value: 7, name: 'Other' }]
    const extended = await extendNetwork({ network: built.network, card }, labels, 1)
    const [before, after] = [built.network, extended].map((network) => network.getLayer('logits').getWeights()[0])
    const old = Array.from((await before?.data()) ?? [])
    const now = Array.from((await after?.data()) ?? [])
    sources.forEach((source, column) => {
      for (let c = 0; c < 4; c++) {
        const given = now[c * sources.length + column]
        if (source !== null) expect(given).toBe(old[c * outputs + source])
        else expect(old).not.toContain(given)
      }
    })
    const bias = extended.getLayer('logits').getWeights()[1]
    const start = (await bias?.data())?.[sources.indexOf(null)] ?? NaN
    expect(start).toBeCloseTo(output === 'relu' ? 0.1 : -1, 6)
    built.network.dispose()
    extended.dispose()
  })
})
