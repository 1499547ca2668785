import type { Footprint } from './graph/footprint.ts'
import type { Graph, Held } from './graph/types.ts'
import type { Profiles } from './session/profile.ts'

/** A graph that is ready to run. */
export interface CompiledGraph {
  /**
   * Inputs in the graph's order; gives the outputs in theirs. Inputs are not written to. Throws OutOfMemoryError or
   * CodedError('backend-lost').
   */
  run(inputs: readonly Held[]): Promise<Held[]>
}

export interface CompileOptions {
  /**
   * The graph's first input is images whose number and size may differ from run to run: a graph that is the same but for
   * that is compiled once. Only for graphs none of whose nodes contains these sizes.
   */
  readonly anySize?: boolean
  /** Outputs from this place on are inputs of later runs, so they stay on the device where the provider has one. */
  readonly staysFrom?: number
}

/** Computes graphs. The one of ONNX Runtime is in session/. */
export interface Engine {
  /**
   * The same graph is compiled once; what was not used for long is compiled again when it runs. Throws as `run` does,
   * since a graph may be too large to be laid out.
   */
  compile(graph: Graph, options?: CompileOptions): Promise<CompiledGraph>
  /** What a run of the graph takes, without compiling it. */
  footprint(graph: Graph): Footprint
  /** The elements, brought from the device where they are there; not to be written to. */
  elements(held: Held): Promise<Float32Array | Int32Array | Uint8Array>
  /** Nothing refers to it any more: memory of a device is given back. */
  release(held: Held): void
  /** Gives back what is only kept to be faster. */
  trim(): void
  /** From now on each run is written down, or, with null, no more: for measuring, since it takes time itself. */
  profileTo(profiles: Profiles | null): void
  /** Bytes of this process that trim() would give back. */
  idleBytes(): number
  /** Bytes of values on the provider's device; null where it computes in the memory of this process. */
  deviceBytes(): number | null
  dispose(): void
}
