import { z } from 'zod'
import { isPlainName } from './reading.ts'
import { inputOf, LAYER_RULES } from './layerRules.ts'
import type { Flow } from './layerRules.ts'

/** One run of weights in one or several files ("shards") that are read one after the other. */
export interface WeightGroup {
  readonly files: readonly string[]
  readonly bytes: number
}

export interface WeightSpec {
  readonly name: string
  readonly shape: number[]
  readonly dtype: 'float32'
}

/** A layers model, understood and found consistent, before anything of it is built. */
export interface Topology {
  /** For tf.loadLayersModel; holds nothing that was not checked. */
  readonly model: object
  readonly groups: readonly WeightGroup[]
  /** In the order of the bytes. */
  readonly weights: readonly WeightSpec[]
  readonly inputChannels: number
  readonly outputChannels: number
  /** Sizes of images must be multiples of this in both directions, and `offset` more. */
  readonly step: number
  readonly offset: number
  /** By how many pixels the result is smaller than the image at each side. */
  readonly margin: number
  /** Output channels of the first layer that has weights. */
  readonly base: number
  readonly parameters: number
}

/** More than any network for this use has; they keep a forged file from taking time or memory. */
const MAX_LAYERS = 2000
const MAX_CHANNELS = 65_536
const MAX_STEP = 4096
const MAX_PARAMETERS = 2 ** 29

const name = z.string().regex(/^(?!__)[\w./-]{1,200}$/)

const fileSchema = z.object({
  modelTopology: z.record(z.string(), z.unknown()),
  weightsManifest: z
    .array(
      z.object({
        paths: z.array(z.string()).min(1).max(10_000),
        weights: z.array(
          z.object({
            name: z.string().max(500),
            shape: z.array(z.int().min(0)).max(6),
            dtype: z.string(),
            quantization: z.unknown().optional(),
          }),
        ),
      }),
    )
    .min(1),
})

const reference = z.tuple([name, z.literal(0), z.literal(0)]).rest(z.unknown())
const layerSchema = z.object({
  name,
  class_name: z.string(),
  config: z.record(z.string(), z.unknown()),
  inbound_nodes: z.array(z.array(reference).min(1)).max(1),
})
const graphSchema = z.object({
  class_name: z.enum(['Model', 'Functional']),
  config: z.object({
    name: z.string().default('model'),
    layers: z.array(layerSchema).min(2).max(MAX_LAYERS),
    input_layers: z.unknown(),
    output_layers: z.unknown(),
  }),
})
type LayerDescription = z.infer<typeof layerSchema>

/**
 * Understands the content of a model.json. Throws an Error that completes the sentence "… model.json": "describes a
 * graph model, which …".
 */
export function readTopology(json: unknown): Topology {
  const { modelTopology } = parseFile(json)
  const config = isRecord(modelTopology.model_config) ? modelTopology.model_config : modelTopology
  if (config.class_name === 'Sequential') throw new Error('describes a sequential model, which has no place here')
  const graph = graphSchema.safeParse(config)
  if (!graph.success) throw new Error('does not describe its layers as a network of images', { cause: graph.error })
  const { layers, name: title, input_layers, output_layers } = graph.data.config
  const first = endpoint(input_layers, 'input')
  const last = endpoint(output_layers, 'output')

  const walked = walk(layers)
  const input = walked.flows.get(first)
  const output = walked.flows.get(last)
  const inputs = layers.filter(({ class_name }) => class_name === 'InputLayer')
  if (inputs.length !== 1 || inputs[0]?.name !== first || input === undefined) throw new Error('must have one input')
  const unread = layers.find(({ name: each }) => each !== last && !walked.read.has(each))
  if (unread !== undefined) throw new Error(`has the layer "${unread.name}" that nothing reads`)
  if (output === undefined) throw new Error(`names an output layer "${last}" that it does not have`)
  const [cut, across] = output.cut
  if (output.reduction.some((size) => size !== 1) || cut !== across || cut % 2 !== 0) {
    throw new Error('gives an image of another size than it takes')
  }
  const step = [...walked.flows.values()].reduce((all, { reduction }) => lcm(lcm(all, reduction[0]), reduction[1]), 1)

  const { groups, weights } = readManifest(json)
  matchWeights(weights, walked.weights)
  return {
    model: {
      class_name: 'Model',
      config: { name: title, layers, input_layers: [[first, 0, 0]], output_layers: [[last, 0, 0]] },
    },
    groups,
    weights,
    inputChannels: input.channels,
    outputChannels: output.channels,
    step,
    offset: offsetOf([...walked.flows.values()], step),
    margin: cut / 2,
    base: walked.base,
    parameters: weights.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
  }
}

/** The weights that a model.json lists, whatever its layers are. */
export interface Manifest {
  readonly groups: readonly WeightGroup[]
  /** In the order of the bytes. */
  readonly weights: readonly WeightSpec[]
}

/** Throws an Error as readTopology does. */
export function readManifest(json: unknown): Manifest {
  const manifest = parseFile(json).weightsManifest.map((group) => ({
    files: group.paths,
    weights: group.weights.map(weightSpec),
  }))
  checkFiles(manifest.flatMap(({ files }) => files))
  return {
    groups: manifest.map(({ files, weights }) => ({
      files,
      bytes: 4 * weights.reduce((n, { shape }) => n + sizeOf(shape), 0),
    })),
    weights: manifest.flatMap(({ weights }) => weights),
  }
}

/**
 * What images are larger than a multiple of the step, so that every place of the network has a whole number of pixels: what
 * was cut off before it, by the pixels that one pixel spans there.
 */
function offsetOf(flows: readonly Flow[], step: number): number {
  const wanted = flows.flatMap(({ reduction, cut }) =>
    [0, 1].map((axis) => ({ by: reduction[axis] ?? 1, rest: (cut[axis] ?? 0) % (reduction[axis] ?? 1) })),
  )
  for (let offset = 0; offset < step; offset++) {
    if (wanted.every(({ by, rest }) => offset % by === rest)) return offset
  }
  throw new Error('takes no image of any size, since its convolutions cut off pixels that others need')
}

function parseFile(json: unknown): z.infer<typeof fileSchema> {
  const format = isRecord(json) ? json.format : undefined
  if (format === 'graph-model') throw new Error('is a graph model, which has no layers to train')
  const parsed = fileSchema.safeParse(json)
  if (parsed.success && (format === undefined || format === null || format === 'layers-model')) return parsed.data
  throw new Error('is not a TensorFlow.js layers model', { cause: parsed.error })
}

/** Follows the image through the layers, which must be listed so that each reads earlier ones alone. */
function walk(layers: readonly LayerDescription[]): {
  flows: Map<string, Flow>
  weights: Map<string, readonly number[]>
  /** Layers that others read. */
  read: Set<string>
  base: number
} {
  const flows = new Map<string, Flow>()
  const weights = new Map<string, readonly number[]>()
  const read = new Set<string>()
  let base = 0
  for (const layer of layers) {
    const called = `the layer "${layer.name}" (${layer.class_name})`
    if (flows.has(layer.name) || layer.config.name !== layer.name)
      throw new Error(`names ${called} twice or not at all`)
    const rule = Object.hasOwn(LAYER_RULES, layer.class_name) ? LAYER_RULES[layer.class_name] : undefined
    if (rule === undefined && layer.class_name !== 'InputLayer') {
      throw new Error(`has ${called} of a kind that is not known here`)
    }
    const from = (layer.inbound_nodes[0] ?? []).map(([each]) => each)
    const inputs = from.map((each) => flows.get(each))
    const known = inputs.filter((flow) => flow !== undefined)
    if (known.length !== inputs.length)
      throw new Error(`has ${called} that reads a layer which does not come before it`)
    for (const each of from) read.add(each)
    try {
      checkConfig(layer.config)
      const effect = rule === undefined ? { ...inputOf(layer.config), weights: {} } : rule(known, layer.config)
      if (effect.channels > MAX_CHANNELS) throw new Error(`it has ${effect.channels} channels`)
      if (Math.max(...effect.reduction) > MAX_STEP) throw new Error('it makes the image too small')
      flows.set(layer.name, { channels: effect.channels, reduction: effect.reduction, cut: effect.cut })
      const own = Object.entries(effect.weights)
      if (base === 0 && own.length > 0) base = effect.channels
      for (const [weight, shape] of own) weights.set(`${layer.name}/${weight}`, shape)
    } catch (error) {
      throw new Error(`has ${called} that does not fit: ${reasonOf(error)}`, { cause: error })
    }
  }
  return { flows, weights, read, base }
}

/** What TensorFlow.js would find wrong only after it has begun to build. */
function checkConfig({ dtype, activity_regularizer: regularizer }: LayerDescription['config']): void {
  if (dtype !== undefined && dtype !== null && dtype !== 'float32')
    throw new Error('it computes in another type than float32')
  if (regularizer !== undefined && regularizer !== null) throw new Error('it has an activity regularizer')
}

function matchWeights(found: readonly WeightSpec[], expected: ReadonlyMap<string, readonly number[]>): void {
  const names = new Set(found.map((spec) => spec.name))
  if (names.size !== found.length) throw new Error('lists weights twice')
  for (const { name: called, shape } of found) {
    const wanted = expected.get(called)
    if (wanted === undefined) throw new Error(`lists weights "${called}" that no layer has`)
    if (String(wanted) !== String(shape)) {
      throw new Error(`lists weights "${called}" of shape [${shape.join(', ')}] where [${wanted.join(', ')}] belongs`)
    }
  }
  const missing = [...expected.keys()].find((called) => !names.has(called))
  if (missing !== undefined) throw new Error(`lacks the weights "${missing}"`)
  if (found.reduce((sum, { shape }) => sum + sizeOf(shape), 0) > MAX_PARAMETERS) throw new Error('has too many weights')
}

function weightSpec({
  name: called,
  shape,
  dtype,
  quantization,
}: z.infer<typeof fileSchema>['weightsManifest'][number]['weights'][number]): WeightSpec {
  if (quantization !== undefined && quantization !== null)
    throw new Error('has quantized weights, which lose accuracy; save it with whole ones')
  if (dtype !== 'float32') throw new Error(`has weights of type ${dtype} instead of float32`)
  return { name: called, shape, dtype }
}

function checkFiles(files: readonly string[]): void {
  const bad = files.find((file) => !isPlainName(file))
  if (bad !== undefined) throw new Error(`names a weights file outside of its folder (${JSON.stringify(bad)})`)
  if (new Set(files).size !== files.length) throw new Error('names a weights file twice')
}

/** [["logits", 0, 0]], or Keras 3's ["logits", 0, 0]. */
function endpoint(value: unknown, what: string): string {
  const many = z.array(reference).length(1).safeParse(value)
  if (many.success && many.data[0] !== undefined) return many.data[0][0]
  const one = reference.safeParse(value)
  if (one.success) return one.data[0]
  throw new Error(`must have one ${what}`)
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}

function lcm(a: number, b: number): number {
  let [x, y] = [a, b]
  while (y > 0) [x, y] = [y, x % y]
  return (a / x) * b
}

function reasonOf(error: unknown): string {
  if (error instanceof z.ZodError) {
    const [issue] = error.issues
    return `its ${issue?.path.join('.') ?? 'description'} is unusual here`
  }
  return error instanceof Error ? error.message : String(error)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
