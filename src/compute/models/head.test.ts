import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { startWasm } from '../runtime/wasm.ts'
import { modelCard } from './card.ts'
import { extendNetwork } from './head.ts'
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
