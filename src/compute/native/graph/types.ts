/** The element types of values in a recorded graph, by their TensorFlow.js or array names. */
export type ElementType = 'float32' | 'int32' | 'int64' | 'bool' | 'uint8'

/** Values of a tensor in memory. `bool` is held as one byte, 0 or 1; int64 (shapes, axes) as BigInt64Array. */
export type Elements = Float32Array | Int32Array | BigInt64Array | Uint8Array

/** What an attribute of a node may be; an integer is written as such only where `int` says so, a number is a float. */
export type Attribute =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
export type Attributes = Readonly<Record<string, Attribute>>

/** The operator sets that nodes may come from: ONNX's own, ONNX Runtime's additions, and ours (lowering/composite.ts). */
export type Domain = '' | 'com.microsoft' | 'com.microsoft.nchwc' | 'maskwright'

/** One operation of a graph. Its outputs know it as their source. */
export interface GraphNode {
  readonly op: string
  readonly domain: Domain
  /** null for an optional input that is left out. */
  readonly inputs: readonly (Value | null)[]
  readonly attributes: Attributes
  readonly outputs: readonly Value[]
}

/**
 * Where a value comes from: computed by a node; the same at every run (part of the graph); fed at each run (`held` says
 * what, at present).
 */
export type Source =
  | { readonly kind: 'node'; readonly node: GraphNode; readonly index: number }
  | { readonly kind: 'constant'; readonly elements: Elements }
  | { readonly kind: 'input'; readonly held: Held | null }

/** One tensor in a graph. The shape is the one it has in the graph, in row-major order. */
export interface Value {
  readonly shape: readonly number[]
  readonly type: ElementType
  /** Replaced by an input once the value was computed, so that what it was computed from can be forgotten. */
  source: Source
}

/** What a session was given or gave: in this process's memory, or on the provider's device, or both. */
export interface Held {
  elements: Elements | null
  /** A tensor of ONNX Runtime on the device. */
  device: DeviceTensor | null
}

/** A tensor of ONNX Runtime that lies on a device. */
export interface DeviceTensor {
  /** An object of the package's that stands for the memory. */
  readonly gpuBuffer: unknown
  readonly type: string
  readonly size: number
  dispose(): void
}

/** A graph as it is run: nodes in the order of computation, inputs and outputs in the caller's order. */
export interface Graph {
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  readonly nodes: readonly GraphNode[]
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, extent) => size * extent, 1)
}
