import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { findPython, runPython } from '../../../imaging/testing/peer.ts'
import { forwardPass } from '../../inference/forwardPass.ts'
import { KINDS } from '../../models/testing/modelFolders.ts'
import { buildUNet } from '../../models/unet.ts'
import { isVariable } from '../../runtime/tensors.ts'
import { createAdam } from '../../training/adam.ts'
import { createMomentum } from '../../training/momentum.ts'
import { trainingStep } from '../../training/step.ts'
import { NATIVE_BACKEND, NativeBackend } from '../backend.ts'
import { optimize } from '../graph/passes/optimize.ts'
import { lowerPortably } from '../lowering/portable.ts'
import { startForTests } from '../testing/compare.ts'
import { ELEMENT_TYPES, encodeGraph, outputName } from './encode.ts'
import type { Graph, Value } from '../graph/types.ts'

const peer = findPython(['onnx'])

/**
 * ONNX's own checker and shape inference of each file, and every value whose shape or type is not the one that was recorded.
 * Operators of other domains are unknown to it; what is computed from them then too.
 */
const CHECK = `
import sys, json, onnx, os
from onnx import checker, shape_inference
found = []
for path in sys.argv[1:]:
    model = onnx.load(path)
    checker.check_model(model, full_check=True)
    inferred = shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    known = {}
    for value in list(inferred.graph.value_info) + list(inferred.graph.output):
        tensor = value.type.tensor_type
        known[value.name] = [tensor.elem_type, [dim.dim_value if dim.HasField('dim_value') else -1 for dim in tensor.shape.dim]]
    recorded = json.load(open(path.replace('.onnx', '.json')))
    wrong = [[name, known.get(name), shape] for name, shape in recorded.items() if known.get(name) != shape]
    found.append({'name': os.path.basename(path), 'nodes': len(model.graph.node), 'wrong': wrong[:5]})
print(json.dumps(found))
`
const foundSchema = z.array(z.object({ name: z.string(), nodes: z.number(), wrong: z.array(z.unknown()) }))

const SIZE = 16
const COUNT = 2
let dir = ''
const files: string[] = []

beforeAll(async () => {
  await startForTests()
  dir = await mkdtemp(path.join(os.tmpdir(), 'maskwright-onnx-'))
})

afterAll(async () => {
  await rm(dir, { recursive: true, force: true })
})

/** Every graph that is compiled while `work` runs, as it is for any provider, in files. */
async function record(name: string, work: () => Promise<unknown>): Promise<void> {
  const backend = tf.findBackend(NATIVE_BACKEND)
  if (!(backend instanceof NativeBackend)) throw new Error('The native backend was started.')
  const compile = vi.spyOn(backend.engine, 'compile')
  try {
    await work()
    for (const [index, [graph]] of compile.mock.calls.entries()) await save(`${name}-${index}`, lowerPortably(graph))
  } finally {
    compile.mockRestore()
  }
}

async function save(name: string, graph: Graph): Promise<void> {
  for (const [suffix, each] of [
    ['', graph],
    ['-again', optimize(graph)],
  ] as const) {
    const file = path.join(dir, `${name}${suffix}.onnx`)
    files.push(file)
    await writeFile(file, encodeGraph(each))
    const shapes = each.nodes.flatMap(({ outputs }, place) =>
      outputs.map((value, index): [string, unknown] => [nameOf(each, value, `v${place}_${index}`), described(value)]),
    )
    await writeFile(file.replace('.onnx', '.json'), JSON.stringify(Object.fromEntries(shapes)))
  }
}

function nameOf({ outputs }: Graph, value: Value, otherwise: string): string {
  const place = outputs.indexOf(value)
  return place < 0 ? otherwise : outputName(place)
}

function described({ type, shape }: Value): [number, readonly number[]] {
  return [ELEMENT_TYPES[type], shape]
}

/** One step and one prediction. */
async function use(network: layers.LayersModel, rule: 'adam' | 'momentum', classes: number): Promise<void> {
  const variables = network.trainableWeights.map((weight) => weight.read()).filter(isVariable)
  const optimizer = (rule === 'adam' ? createAdam : createMomentum)(variables, { decay: 0.01 })
  const images = Float32Array.from({ length: COUNT * SIZE * SIZE }, (_, i) => Math.sin(i) ** 2)
  const truth = Uint8Array.from(images, (value) => Math.floor(value * classes * 0.999))
  try {
    await trainingStep(network, variables, optimizer, { images, classes: truth }, SIZE, 1e-3)
    await forwardPass(network, images, [COUNT, SIZE, SIZE, 1], () => Promise.resolve())
  } finally {
    optimizer.dispose()
    network.dispose()
  }
}

/** Layers that networks of others have. */
function foreignNetwork(): layers.LayersModel {
  const image = layers.input({ shape: [SIZE, SIZE, 1] })
  const { layers: make } = layers
  const chain: layers.layers.Layer[] = [
    make.conv2d({ filters: 4, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu' }),
    make.depthwiseConv2d({ kernelSize: 3, padding: 'same', depthMultiplier: 2 }),
    make.conv2d({ filters: 5, kernelSize: 3, dilationRate: 2, padding: 'same', activation: 'elu' }),
    make.leakyReLU({}),
    make.averagePooling2d({ poolSize: 3, strides: 2, padding: 'same' }),
    make.prelu({ sharedAxes: [1, 2] }),
    make.upSampling2d({ size: [2, 2], interpolation: 'bilinear' }),
    make.layerNormalization({}),
    make.maxPooling2d({ poolSize: 3, strides: 1, padding: 'same' }),
    make.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: 'same' }),
  ]
  const end = chain.reduce((x: layers.SymbolicTensor, layer) => symbolic(layer.apply(x)), image)
  return layers.model({ inputs: image, outputs: end })
}

function symbolic(applied: unknown): layers.SymbolicTensor {
  if (applied instanceof layers.SymbolicTensor) return applied
  throw new Error('One symbolic tensor was expected.')
}

describe('recorded graphs', () => {
  it.each(KINDS)('are written down: $normalization, $upsampling', async ({ normalization, upsampling }) => {
    const network = buildUNet({ levels: 2, base: 4, classes: 3, seed: 1, normalization, upsampling })
    const rule = normalization === 'none' ? 'momentum' : 'adam'
    await record(`${normalization}-${upsampling}`, () => use(network, rule, 3))
  })

  it('are written down: layers of others', async () => {
    await record('others', () => use(foreignNetwork(), 'adam', 3))
  })

  it.skipIf(!peer.available)(
    `pass the checker of ONNX, which infers the shapes that were recorded ${peer.reason}`,
    { timeout: 120_000 },
    () => {
      expect(files.length).toBeGreaterThan(2 * (KINDS.length + 1))
      const found = foundSchema.parse(runPython(peer, CHECK, files))
      expect(found.filter(({ wrong }) => wrong.length > 0)).toEqual([])
      expect(Math.max(...found.map(({ nodes }) => nodes))).toBeGreaterThan(200)
    },
  )
})
