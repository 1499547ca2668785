import { describe, expect, it } from 'vitest'
import { readTopology } from './topology.ts'

type Shapes = Readonly<Record<string, readonly number[]>>
interface Layer {
  readonly name: string
  readonly class_name: string
  readonly config: Readonly<Record<string, unknown>>
  readonly inbound_nodes: unknown
}

function layer(class_name: string, name: string, from: readonly string[], config: object = {}): Layer {
  const inbound_nodes = from.length === 0 ? [] : [from.map((each) => [each, 0, 0, {}])]
  return { name, class_name, config: { name, ...config }, inbound_nodes }
}
const input = layer('InputLayer', 'image', [], { batch_input_shape: [null, null, null, 1] })
const conv = (name: string, from: string, filters: number, config: object = {}) =>
  layer('Conv2D', name, [from], { filters, kernel_size: [3, 3], padding: 'same', use_bias: false, ...config })

/** A model.json of the layers, the last of which is the output. */
function modelJson(layers: readonly Layer[], weights: Shapes, change: object = {}) {
  return {
    format: 'layers-model',
    modelTopology: {
      class_name: 'Model',
      config: {
        name: 'unet',
        layers,
        input_layers: [['image', 0, 0]],
        output_layers: [[layers.at(-1)?.name, 0, 0]],
      },
    },
    weightsManifest: [
      {
        paths: ['weights.bin'],
        weights: Object.entries(weights).map(([name, shape]) => ({ name, shape, dtype: 'float32' })),
      },
    ],
    ...change,
  }
}

/** One level down and up again, with a skip: 1 -> 4 channels, pooled, 4 -> 8, up, joined 12 -> 3. */
const small = [
  input,
  conv('down', 'image', 4),
  layer('MaxPooling2D', 'pool', ['down'], { pool_size: [2, 2], strides: [2, 2], padding: 'valid' }),
  conv('middle', 'pool', 8),
  layer('UpSampling2D', 'up', ['middle'], { size: [2, 2] }),
  layer('Concatenate', 'join', ['down', 'up'], { axis: -1 }),
  conv('logits', 'join', 3, { kernel_size: [1, 1], use_bias: true }),
]
const smallWeights = {
  'down/kernel': [3, 3, 1, 4],
  'middle/kernel': [3, 3, 4, 8],
  'logits/kernel': [1, 1, 12, 3],
  'logits/bias': [3],
}

/** The layers with one of them changed. */
function changed(name: string, change: object): Layer[] {
  return small.map((each) => (each.name === name ? { ...each, config: { ...each.config, ...change } } : each))
}
const replaced = (name: string, by: Layer) => small.map((each) => (each.name === name ? by : each))

describe('readTopology', () => {
  it('follows the image through the layers', () => {
    const { groups, inputChannels, outputChannels, step, base, parameters } = readTopology(
      modelJson(small, smallWeights),
    )
    expect({ inputChannels, outputChannels, step, base }).toEqual({
      ...{ inputChannels: 1, outputChannels: 3, step: 2, base: 4 },
    })
    // 9*4 + 9*4*8 + 12*3 + 3
    expect(parameters).toBe(363)
    expect(groups).toEqual([{ files: ['weights.bin'], bytes: 4 * 363 }])
  })

  it('knows transposed and depthwise convolutions, normalizations with weights, and merging layers', () => {
    const layers = [
      input,
      conv('a', 'image', 4, { strides: [2, 2] }),
      layer('BatchNormalization', 'b', ['a'], { axis: 3 }),
      layer('DepthwiseConv2D', 'c', ['b'], {
        kernel_size: [3, 3],
        depth_multiplier: 2,
        padding: 'same',
        use_bias: true,
      }),
      layer('GroupNormalization', 'd', ['c'], { groups: 4, axis: -1 }),
      layer('Conv2DTranspose', 'e', ['d'], { filters: 6, kernel_size: [2, 2], strides: [2, 2], padding: 'valid' }),
      conv('f', 'image', 6, { dilation_rate: [2, 2] }),
      layer('Add', 'g', ['e', 'f']),
      layer('LayerNormalization', 'h', ['g'], { axis: [1, 2], center: false, scale: false }),
      layer('ReLU', 'i', ['h']),
      layer('LayerNormalization', 'j', ['i'], { axis: -1, center: false }),
    ]
    const weights = {
      'a/kernel': [3, 3, 1, 4],
      ...Object.fromEntries(['gamma', 'beta', 'moving_mean', 'moving_variance'].map((name) => [`b/${name}`, [4]])),
      'c/depthwise_kernel': [3, 3, 4, 2],
      'c/bias': [8],
      'd/gamma': [8],
      'd/beta': [8],
      'e/kernel': [2, 2, 6, 8],
      'e/bias': [6],
      'f/kernel': [3, 3, 1, 6],
      'j/gamma': [6],
    }
    expect(readTopology(modelJson(layers, weights))).toMatchObject({ outputChannels: 6, step: 2, base: 4 })
  })

  const big = 2 ** 30
  it.each<[what: string, said: RegExp, json: unknown]>([
    ['a list', /no|not a TensorFlow\.js layers model/, []],
    ['null', /not a TensorFlow\.js layers model/, null],
    ['a graph model', /is a graph model/, { format: 'graph-model', modelTopology: { node: [] } }],
    ['another format', /not a TensorFlow\.js layers model/, modelJson(small, smallWeights, { format: 'onnx' })],
    ['a model without weights', /not a TensorFlow\.js/, modelJson(small, smallWeights, { weightsManifest: [] })],
    [
      'a sequential model',
      /sequential/,
      modelJson(small, smallWeights, { modelTopology: { class_name: 'Sequential', config: { layers: [] } } }),
    ],
    [
      'a layer of an unknown class',
      /the layer "pool" \(Lambda\) of a kind that is not known/,
      modelJson(replaced('pool', layer('Lambda', 'pool', ['down'])), smallWeights),
    ],
    [
      'the name of a built-in property as a class',
      /of a kind that is not known/,
      modelJson(replaced('pool', layer('constructor', 'pool', ['down'])), smallWeights),
    ],
    [
      'three input channels that the weights do not have',
      /of shape \[3, 3, 1, 4\] where \[3, 3, 3, 4\] belongs/,
      modelJson(changed('image', { batch_input_shape: [null, null, null, 3] }), smallWeights),
    ],
    ['a volume', /4 dimensions/, modelJson(changed('image', { batch_input_shape: [null, null, null, null, 1] }), {})],
    ['images of one size', /one size alone/, modelJson(changed('image', { batch_input_shape: [null, 9, 9, 1] }), {})],
    [
      'two inputs',
      /must have one input/,
      modelJson(
        [
          small[0] ?? input,
          { ...input, name: 'second', config: { ...input.config, name: 'second' } },
          ...small.slice(1),
        ],
        smallWeights,
      ),
    ],
    [
      'two outputs',
      /must have one output/,
      modelJson(small, smallWeights, {
        modelTopology: {
          class_name: 'Model',
          config: {
            layers: small,
            input_layers: [['image', 0, 0]],
            output_layers: [
              ['up', 0, 0],
              ['logits', 0, 0],
            ],
          },
        },
      }),
    ],
    [
      'a layer that reads a later one, for which TensorFlow.js would wait for ever',
      /which does not come before it/,
      modelJson(replaced('pool', { ...layer('ReLU', 'pool', ['up']) }), smallWeights),
    ],
    [
      'a layer that reads nothing',
      /must have one input/,
      modelJson(replaced('pool', layer('ReLU', 'pool', [])), smallWeights),
    ],
    [
      'a layer that nothing reads',
      /layer "extra" that nothing reads/,
      modelJson([...small.slice(0, -1), layer('ReLU', 'extra', ['up']), ...small.slice(-1)], smallWeights),
    ],
    [
      'an activity regularizer',
      /activity regularizer/,
      modelJson(changed('down', { activity_regularizer: {} }), smallWeights),
    ],
    ['half precision', /another type than float32/, modelJson(changed('image', { dtype: 'float16' }), smallWeights)],
    ['a layer twice', /twice/, modelJson([...small, conv('logits', 'join', 3)], smallWeights)],
    ['gigantic filters', /its filters is unusual/, modelJson(changed('down', { filters: big }), smallWeights)],
    [
      'gigantic filters that the weights confirm',
      /unusual/,
      modelJson(changed('down', { filters: big }), { ...smallWeights, 'down/kernel': [3, 3, 1, big] }),
    ],
    [
      'many filters whose weights would be gigantic',
      /of shape \[3, 3, 4, 8\] where \[3, 3, 60000, 8\] belongs/,
      modelJson(changed('down', { filters: 60_000 }), { ...smallWeights, 'down/kernel': [3, 3, 1, 60_000] }),
    ],
    [
      'joins that double the channels again and again',
      /has \d+ channels/,
      modelJson(
        [
          input,
          ...Array.from({ length: 40 }, (_, i) => {
            const from = i === 0 ? 'image' : `j${i - 1}`
            return layer('Concatenate', `j${i}`, [from, from], { axis: -1 })
          }),
        ],
        {},
      ),
    ],
    [
      'up-sampling beyond the image',
      /larger than it was/,
      modelJson(changed('up', { size: [999, 999] }), smallWeights),
    ],
    [
      'an output of another size',
      /another size than it takes/,
      modelJson([input, conv('a', 'image', 2, { strides: 2 })], { 'a/kernel': [3, 3, 1, 2] }),
    ],
    [
      'a convolution that cuts off the border of what is joined with something whole',
      /joins images of different sizes/,
      modelJson(changed('middle', { padding: 'valid' }), smallWeights),
    ],
    [
      'a convolution that cuts off more at one side',
      /cuts off the border, and not the same at each side/,
      modelJson(changed('down', { padding: 'valid', kernel_size: [2, 2] }), {
        ...smallWeights,
        'down/kernel': [2, 2, 1, 4],
      }),
    ],
    [
      'joined images of different sizes',
      /different sizes/,
      modelJson(replaced('up', layer('ReLU', 'up', ['middle'])), smallWeights),
    ],
    [
      'channels first',
      /data_format is unusual/,
      modelJson(changed('down', { data_format: 'channels_first' }), smallWeights),
    ],
    ['missing weights', /lacks the weights "logits\/bias"/, modelJson(small, without('logits/bias'))],
    [
      'weights that no layer has',
      /"x\/kernel" that no layer has/,
      modelJson(small, { ...smallWeights, 'x/kernel': [1] }),
    ],
    [
      'weights of a gigantic shape',
      /where \[3\] belongs/,
      modelJson(small, { ...smallWeights, 'logits/bias': [big, big] }),
    ],
    ['a path out of the folder', /outside of its folder \("\.\.\/\.\.\/x"\)/, withPaths(['../../x'])],
    ['an absolute path', /outside of its folder/, withPaths(['/etc/passwd'])],
    ['a path of another system', /outside of its folder/, withPaths(['..\\x'])],
    ['the folder itself as weights', /outside of its folder/, withPaths(['..'])],
    ['a weights file twice', /names a weights file twice/, withPaths(['a.bin', 'a.bin'])],
    ['quantized weights', /quantized/, withWeights({ quantization: { dtype: 'uint8', scale: 1, min: 0 } })],
    ['weights of half the accuracy', /type float16 instead of float32/, withWeights({ dtype: 'float16' })],
  ])('refuses %s', (_, said, json) => {
    expect(() => readTopology(JSON.parse(JSON.stringify(json)))).toThrow(said)
  })

  it('refuses endless nesting', () => {
    const deep = `{"format":"layers-model","modelTopology":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)},"weightsManifest":[]}`
    expect(() => readTopology(JSON.parse(deep))).toThrow()
  })
})

function without(name: string): Shapes {
  return Object.fromEntries(Object.entries(smallWeights).filter(([each]) => each !== name))
}

function withPaths(paths: string[]): object {
  const [group] = modelJson(small, smallWeights).weightsManifest
  return modelJson(small, smallWeights, { weightsManifest: [{ ...group, paths }] })
}

function withWeights(change: object): object {
  const [group] = modelJson(small, smallWeights).weightsManifest
  const weights = group?.weights.map((weight) => ({ ...weight, ...change }))
  return modelJson(small, smallWeights, { weightsManifest: [{ ...group, weights }] })
}
