import type { Graph, Held } from './graph/types.ts'

/** A graph that is ready to run. */
export interface CompiledGraph {
  /** Inputs in the graph's order; gives the outputs in theirs. Inputs are not written to. */
  run(inputs: readonly Held[]): Promise<Held[]>
}

export interface CompileOptions {
  /**
   * The graph's first input is images whose number and size may differ from run to run: a graph that is the same but for
   * that is compiled once. Only for graphs none of whose nodes contains these sizes.
   */
  readonly anySize?: boolean
}

/** Computes graphs. The one of ONNX Runtime is in session/. */
export interface Engine {
  /** The same graph is compiled once; what was not used for long may be compiled again. */
  compile(graph: Graph, options?: CompileOptions): Promise<CompiledGraph>
  /** The elements, brought from the device where they are there; not to be written to. */
  elements(held: Held): Promise<Float32Array | Int32Array | Uint8Array>
  /** Nothing refers to it any more: memory of a device is given back. */
  release(held: Held): void
  dispose(): void
}
