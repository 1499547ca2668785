import { readdir } from 'node:fs/promises'
import path from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { statedFactsSchema } from '../../core/contract/network.ts'
import { inferenceSettingsSchema, modelSettingsSchema } from '../../core/contract/recipes.ts'
import { findPython, runPython } from '../../imaging/testing/peer.ts'
import { createRandom } from '../data/random.ts'
import { modelCard } from '../models/card.ts'
import { loadModel, saveModel } from '../models/files.ts'
import { buildRecipeNetwork } from '../models/recipeNetwork.ts'
import { FOREIGN_LAYERS, networkAround } from '../models/testing/foreignLayers.ts'
import { KINDS, prepareFolders, saveUntrained } from '../models/testing/modelFolders.ts'
import { NATIVE_BACKEND } from './backend.ts'
import { exportNetwork } from './exportOnnx.ts'
import { startForTests } from './testing/compare.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { CardFacts } from '../models/card.ts'
import type { ModelFolders } from '../models/testing/modelFolders.ts'

const peer = findPython(['onnx'])

/** What ONNX's own checker and shape inference make of each file. */
const CHECK = `
import sys, json, onnx
from onnx import checker, shape_inference
found = []
for path in sys.argv[1:]:
    model = onnx.load(path)
    checker.check_model(model, full_check=True)
    inferred = shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    def port(value):
        tensor = value.type.tensor_type
        return [value.name, tensor.elem_type, [dim.dim_param or dim.dim_value for dim in tensor.shape.dim]]
    found.append({
        'inputs': [port(value) for value in inferred.graph.input],
        'outputs': [port(value) for value in inferred.graph.output],
        'opsets': [[each.domain, each.version] for each in model.opset_import],
        'metadata': {each.key: each.value for each in model.metadata_props},
        'ops': [node.op_type for node in model.graph.node],
    })
print(json.dumps(found))
`
const portSchema = z.tuple([z.string(), z.number(), z.array(z.union([z.string(), z.number()]))])
const foundSchema = z.array(
  z.object({
    inputs: z.array(portSchema),
    outputs: z.array(portSchema),
    opsets: z.array(z.tuple([z.string(), z.number()])),
    metadata: z.record(z.string(), z.string()),
    ops: z.array(z.string()),
  }),
)

let folders: ModelFolders
const files: string[] = []

/** With weights of which none is at its initial value, in which a batch normalization would do nothing. */
async function saveChanged(dir: string, kind: (typeof KINDS)[number]): Promise<void> {
  await saveUntrained(`${dir}-before`, kind)
  const { network, card } = await loadModel(`${dir}-before`)
  const random = createRandom(9)
  const weights = network.getWeights().map((weight) => {
    const values = Float32Array.from(weight.dataSync(), (value) => value * (1 + 0.2 * random()) + 0.1 * random())
    return tf.tensor(values, weight.shape)
  })
  network.setWeights(weights)
  tf.dispose(weights)
  await saveModel(dir, network, card)
  network.dispose()
}

async function saveForeign(dir: string, network: LayersModel): Promise<void> {
  const identity = { id: 'o', parentId: null, name: 'O', createdAt: '2026-01-01T00:00:00.000Z' }
  const labels = [{ value: 1, name: 'Liver' }]
  const architecture = { name: 'other', levels: 0, base: 6, inputChannels: 1, step: 4 } as const
  await saveModel(dir, network, modelCard({ ...identity, labels }, { network, architecture, training: null }))
  network.dispose()
}

beforeAll(async () => {
  folders = await prepareFolders()
})

afterAll(async () => {
  await folders.remove()
})

describe('an exported network', () => {
  it.each(KINDS)('computes the same in ONNX Runtime: $normalization, $upsampling', async (kind) => {
    const dir = path.join(folders.dir, `${kind.normalization}-${kind.upsampling}`)
    await saveChanged(dir, kind)
    const file = `${dir}.onnx`
    files.push(file)
    const tensors = tf.memory().numTensors
    const { maxDifference } = await exportNetwork(dir, file)
    expect(maxDifference).toBeLessThan(1e-5)
    expect(tf.getBackend()).toBe('cpu')
    expect(tf.memory().numTensors).toBe(tensors)
    expect((await readdir(folders.dir)).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  it.skipIf(!peer.available)(`passes the checker of ONNX, of any size ${peer.reason}`, { timeout: 120_000 }, () => {
    expect(files.length).toBe(KINDS.length)
    const found = foundSchema.parse(runPython(peer, CHECK, files))
    for (const { inputs, outputs, opsets, metadata, ops } of found) {
      expect(inputs).toEqual([['image', 1, ['batch', 1, 'height', 'width']]])
      expect(outputs).toEqual([['logits', 1, ['batch', 3, 'height', 'width']]])
      expect(opsets).toEqual([['', 17]])
      expect(ops).not.toContain('Transpose')
      const facts = Object.entries(metadata).map(([key, value]): [string, unknown] => [
        key.replace('maskwright.', ''),
        JSON.parse(value),
      ])
      expect(statedFactsSchema.parse(Object.fromEntries(facts))).toMatchObject({
        name: 'M',
        classes: ['Liver', 'Spleen'],
        input: { normalization: { kind: 'percentile', low: 0.5, high: 99.5 } },
      })
    }
  })

  it.each([
    ['LeakyReLU', ['batch', 1, 'height', 'width']],
    ['DepthwiseConv2D', ['batch', 1, 'height', 'width']],
    // Their graphs name the size.
    ['LayerNormalization of channels, without scale and shift', ['batch', 1, 256, 256]],
    ['LayerNormalization of channels', [1, 1, 256, 256]],
  ])('may have layers of others, and come from the recorder: %s', { timeout: 60_000 }, async (name, shape) => {
    const layer = FOREIGN_LAYERS.find(([each]) => each === name)?.[1]
    if (layer === undefined) throw new Error(`There is no layer ${name}.`)
    const dir = path.join(folders.dir, name.replaceAll(/\W+/g, '-'))
    await saveForeign(dir, networkAround(layer()))
    await startForTests()
    const { maxDifference } = await exportNetwork(dir, `${dir}.onnx`)
    expect(maxDifference).toBeLessThan(1e-4)
    expect(tf.getBackend()).toBe(NATIVE_BACKEND)
    tf.removeBackend(NATIVE_BACKEND)
    await tf.setBackend('cpu')
    if (!peer.available) return
    const [found] = foundSchema.parse(runPython(peer, CHECK, [`${dir}.onnx`]))
    expect(found?.inputs).toEqual([['image', 1, shape]])
  })

  it.each([
    [
      'colour and Inception blocks',
      { kind: 'unet-inception', normalization: 'batch' },
      ['batch', 3, 'height', 'width'],
      ['batch', 4, 'height', 'width'],
    ],
    [
      'valid convolutions',
      { convolutions: 'valid', upsampling: 'transposed', dropout: 0.3 },
      ['batch', 3, 'height', 'width'],
      ['batch', 4, 'result_height', 'result_width'],
    ],
  ] as const)('may come from a recipe: %s', { timeout: 60_000 }, async (name, settings, input, output) => {
    const model = modelSettingsSchema.parse({
      ...{ kind: 'unet', levels: 2, base: 8, normalization: 'none', upsampling: 'nearest' },
      ...settings,
    })
    const built = buildRecipeNetwork(model, { channels: 3, outputs: 4, seed: 2 })
    const identity = { id: 'r', parentId: null, name: 'R', createdAt: '2026-01-01T00:00:00.000Z' }
    const labels = [
      { value: 1, name: 'Nucleus' },
      { value: 2, name: 'Other' },
    ]
    const recipeUse: CardFacts['recipeUse'] & object = {
      input: { colour: { kind: 'rgb' }, normalization: { kind: 'none' } },
      handling: {
        ...{ resize: { kind: 'none' }, output: 'softmax', border: true, instances: null },
        inference: inferenceSettingsSchema.parse({}),
      },
    }
    const run = { device: null, threads: 1, batch: 1, patch: 50 }
    const dir = path.join(folders.dir, name.replaceAll(/\W+/g, '-'))
    await saveModel(
      dir,
      built.network,
      modelCard({ ...identity, labels }, { ...built, training: null }, { recipeUse, run }),
    )
    built.network.dispose()
    const { maxDifference } = await exportNetwork(dir, `${dir}.onnx`)
    expect(maxDifference).toBeLessThan(1e-4)
    if (!peer.available) return
    const [found] = foundSchema.parse(runPython(peer, CHECK, [`${dir}.onnx`]))
    expect([found?.inputs, found?.outputs]).toEqual([[['image', 1, input]], [['logits', 1, output]]])
    expect(JSON.parse(found?.metadata['maskwright.classes'] ?? '')).toEqual(['Nucleus', 'Other', 'Border'])
    expect(JSON.parse(found?.metadata['maskwright.handling'] ?? '')).toEqual(recipeUse.handling)
  })

  it('is not written where the model cannot be read', async () => {
    const file = path.join(folders.dir, 'none.onnx')
    await expect(exportNetwork(path.join(folders.dir, 'none'), file)).rejects.toMatchObject({ code: 'bad-file' })
    expect(await readdir(folders.dir)).not.toContain('none.onnx')
  })
})
