import { ModelMessage } from '../../native/onnx/schema.ts'

/** One image's worth of a dimension: an extent, or the name of one that may differ. */
type Extent = number | string

export interface TinyOptions {
  readonly input?: readonly Extent[]
  readonly output?: readonly Extent[]
  readonly inputType?: number
  readonly outputType?: number
  /** Operators after the convolution, each fed by the one before. */
  readonly ends?: readonly {
    readonly opType: string
    readonly domain?: string
    /** Numbers that it takes after what it is fed with. */
    readonly more?: readonly (readonly number[])[]
    readonly attribute?: readonly object[]
  }[]
  readonly moreInputs?: readonly string[]
  readonly metadata?: Readonly<Record<string, unknown>>
  /** Weights of the 1 x 1 convolution, output channels x input channels, and what is added to each output channel. */
  readonly weights?: readonly (readonly number[])[]
  readonly bias?: readonly number[]
  readonly external?: boolean
  readonly opset?: number
}

/**
 * A network of one 1 x 1 convolution as an ONNX file, channels first. As it is: one grey image of any size in, two channels
 * out, the second the larger one where the image is brighter than one half.
 */
export function tinyNetwork({
  input = ['n', 1, 'h', 'w'],
  output = ['n', 'c', 'h', 'w'],
  inputType = 1,
  outputType = 1,
  ends = [],
  moreInputs = [],
  metadata = {},
  weights = [[-8], [8]],
  bias = [4, -4],
  external = false,
  opset = 13,
}: TinyOptions = {}): Uint8Array {
  const last = ends.length
  const nodes = [
    { opType: 'Conv', name: 'conv', input: ['image', 'weights', 'bias'], output: ['v0'] },
    ...ends.map(({ opType, domain = '', attribute = [], more = [] }, at) => ({
      ...{ opType, domain, attribute, name: `end${at}` },
      input: [`v${at}`, ...more.map((_, i) => `end${at}-${i}`)],
      output: [`v${at + 1}`],
    })),
  ]
  const value = (name: string, dims: readonly Extent[], elemType = 1) => ({
    name,
    type: {
      tensorType: {
        elemType,
        shape: { dim: dims.map((dim) => (typeof dim === 'number' ? { dimValue: dim } : { dimParam: dim })) },
      },
    },
  })
  const channels = weights[0]?.length ?? 1
  return ModelMessage.encode({
    irVersion: 8,
    producerName: 'a test',
    opsetImport: [{ domain: '', version: opset }],
    metadataProps: Object.entries(metadata).map(([key, fact]) => ({ key, value: JSON.stringify(fact) })),
    graph: {
      name: 'tiny',
      node: nodes,
      initializer: [
        {
          ...{ name: 'weights', dims: [weights.length, channels, 1, 1], dataType: 1 },
          ...(external
            ? { dataLocation: 1, externalData: [{ key: 'location', value: 'weights.bin' }] }
            : { floatData: weights.flat() }),
        },
        { name: 'bias', dims: [bias.length], dataType: 1, floatData: bias },
        ...ends.flatMap(({ more = [] }, at) =>
          more.map((numbers, i) => ({
            ...{ name: `end${at}-${i}`, dims: [numbers.length], dataType: 7, int64Data: numbers },
          })),
        ),
      ],
      input: [value('image', input, inputType), ...moreInputs.map((name) => value(name, input))],
      output: [value(`v${last}`, output, outputType)],
    },
  }).finish()
}
