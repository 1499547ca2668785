import { z } from 'zod'
import { ModelMessage } from './schema.ts'

/**
 * What an ONNX file says of itself: enough to judge a network before it is run. Contents of weights stay in the file's
 * bytes. Subgraphs of If, Loop and Scan are not looked into, only noticed.
 */

/** A dimension: its extent, the name of one that may differ, or null where nothing is said. */
export type OnnxDimension = number | string | null

export interface OnnxPort {
  readonly name: string
  /** ONNX's number for the element type (TensorProto.DataType); null for what is no tensor, such as a sequence. */
  readonly elementType: number | null
  /** null where even the number of dimensions is open. */
  readonly shape: readonly OnnxDimension[] | null
}

export interface OnnxAttribute {
  readonly name: string
  readonly isGraph: boolean
  /** null for a graph, and for what is not known here. */
  readonly value: number | string | readonly number[] | readonly string[] | OnnxTensor | null
}

export interface OnnxNode {
  readonly name: string
  readonly op: string
  /** '' is ONNX's own, also where the file calls it ai.onnx. */
  readonly domain: string
  /** '' for an optional one that is left out. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: readonly OnnxAttribute[]
}

export interface OnnxTensor {
  readonly name: string
  readonly elementType: number
  readonly shape: readonly number[]
  /** Whether its numbers lie in another file. */
  readonly isExternal: boolean
  /** Bytes as the file has them, little endian in the element type, where they are not written one by one. */
  readonly raw: Uint8Array | null
  /** Numbers that are written one by one, for small tensors; integers beyond 2^53 are not exact. */
  readonly numbers: readonly number[]
}

export interface OnnxModel {
  readonly irVersion: number
  readonly producer: string
  readonly opsets: readonly { readonly domain: string; readonly version: number }[]
  readonly metadata: Readonly<Record<string, string>>
  /** Without those that are weights, which old files name among the inputs too. */
  readonly inputs: readonly OnnxPort[]
  readonly outputs: readonly OnnxPort[]
  readonly nodes: readonly OnnxNode[]
  readonly initializers: readonly OnnxTensor[]
}

// A field that is not in the file has its default; lists are always there (see messageOf).
const text = z.string().default('')
const number = z.number().default(0)
const names = z.array(z.string())
const entry = z.object({ key: text, value: text })
const bytes = z.instanceof(Uint8Array).default(new Uint8Array())
const tensor = z
  .object({
    name: text,
    dims: z.array(z.number()),
    dataType: number,
    floatData: z.array(z.number()),
    int32Data: z.array(z.number()),
    int64Data: z.array(z.number()),
    doubleData: z.array(z.number()),
    rawData: bytes,
    externalData: z.array(entry),
    dataLocation: number,
  })
  .transform(({ name, dims, dataType, rawData, externalData, dataLocation, ...lists }): OnnxTensor => ({
    name,
    elementType: dataType,
    shape: dims,
    isExternal: dataLocation === 1 || externalData.length > 0,
    raw: rawData.length > 0 ? rawData : null,
    numbers:
      [lists.floatData, lists.int32Data, lists.int64Data, lists.doubleData].find(({ length }) => length > 0) ?? [],
  }))
const textOf = (value: Uint8Array): string => new TextDecoder().decode(value)
const attribute = z
  .object({
    name: text,
    type: number,
    f: number,
    i: number,
    s: bytes,
    t: tensor.nullish(),
    floats: z.array(z.number()),
    ints: z.array(z.number()),
    strings: z.array(z.instanceof(Uint8Array)),
  })
  .transform((from): OnnxAttribute => {
    const { name, type } = from
    const values: Record<number, OnnxAttribute['value']> = {
      1: from.f,
      2: from.i,
      3: textOf(from.s),
      4: from.t ?? null,
      6: from.floats,
      7: from.ints,
      8: from.strings.map(textOf),
    }
    return { name, value: values[type] ?? null, isGraph: type === 5 || type === 10 }
  })
const ownDomain = text.transform((domain) => (domain === 'ai.onnx' ? '' : domain))
const node = z
  .object({
    name: text,
    opType: text,
    domain: ownDomain,
    input: names,
    output: names,
    attribute: z.array(attribute),
  })
  .transform(({ name, opType, domain, input, output, attribute: attributes }): OnnxNode => ({
    name,
    op: opType,
    domain,
    inputs: input,
    outputs: output,
    attributes,
  }))
const dimension = z
  .object({ dimValue: z.number().optional(), dimParam: z.string().optional() })
  .transform(({ dimValue, dimParam }): OnnxDimension => {
    if (dimValue !== undefined) return dimValue
    return dimParam === undefined || dimParam === '' ? null : dimParam
  })
const tensorType = z.object({ elemType: number, shape: z.object({ dim: z.array(dimension) }).nullish() })
const port = z
  .object({ name: z.string(), type: z.object({ tensorType: tensorType.nullish() }).nullish() })
  .transform(({ name, type }): OnnxPort => {
    const known = type?.tensorType
    return { name, elementType: known?.elemType ?? null, shape: known?.shape?.dim ?? null }
  })
const model = z.object({
  irVersion: number,
  producerName: text,
  opsetImport: z.array(z.object({ domain: ownDomain, version: number })),
  metadataProps: z.array(entry),
  graph: z.object({
    node: z.array(node),
    initializer: z.array(tensor),
    sparseInitializer: z.array(z.object({})),
    input: z.array(port),
    output: z.array(port),
  }),
})

/** Throws an Error that says in a few words what is wrong where the bytes are no ONNX model, or a cut one. */
export function decodeModel(file: Uint8Array): OnnxModel {
  const decoded = model.safeParse(messageOf(file))
  if (!decoded.success) throw new Error('It is no ONNX model.', { cause: decoded.error })
  const { irVersion, producerName, opsetImport, metadataProps, graph } = decoded.data
  if (irVersion === 0 || opsetImport.length === 0) throw new Error('It is no ONNX model.')
  if (graph.sparseInitializer.length > 0) throw new Error('It has sparse weights, which are not read.')
  const weights = new Set(graph.initializer.map(({ name }) => name))
  return {
    irVersion,
    producer: producerName,
    opsets: opsetImport,
    metadata: Object.fromEntries(metadataProps.map(({ key, value }) => [key, value])),
    inputs: graph.input.filter(({ name }) => !weights.has(name)),
    outputs: graph.output,
    nodes: graph.node,
    initializers: graph.initializer,
  }
}

function messageOf(file: Uint8Array): unknown {
  try {
    return ModelMessage.toObject(ModelMessage.decode(file), { longs: Number, arrays: true })
  } catch (error) {
    throw new Error('It is no ONNX model, or cut off.', { cause: error })
  }
}
