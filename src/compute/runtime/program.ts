import * as tf from '@tensorflow/tfjs-core'

/**
 * A computation that is done many times over. It is plain TensorFlow.js: the body takes tensors and gives tensors, and may
 * read and assign variables. Backends that compute at once just run it; one that records (`native`) runs the body once for
 * the shapes of its inputs and then, each time, the graph that came of it. So the body must depend on nothing else: what
 * changes from run to run is an input, a variable, or a random operation.
 */
export interface Program {
  /** Outputs are the caller's to dispose; variables that the body assigns have their new values afterwards. */
  run(inputs: readonly tf.Tensor[]): Promise<tf.Tensor[]>
  dispose(): void
}

export type ProgramBody = (inputs: readonly tf.Tensor[]) => tf.Tensor[]

export interface ProgramOptions {
  /** The variables that it reads change seldom: they may become part of the graph, which is made anew when one does. */
  readonly frozen?: boolean
  /** The first input is images [n, h, w, c] of any number and size. */
  readonly anySize?: boolean
  /**
   * Where the backend records: asked, with the results, whether the variables take their new values; they always do unless
   * given. Backends that compute at once have assigned them by then.
   */
  readonly accept?: (results: readonly tf.Tensor[]) => Promise<boolean>
}

export interface Recorder {
  readonly createProgram: (body: ProgramBody, options: ProgramOptions) => Program
  /** Computes what was recorded outside of programs and is still wanted. */
  readonly settle: () => Promise<void>
}

const recorders = new Map<string, Recorder>()

/** Says how programs run on a backend of TensorFlow.js. */
export function setRecorder(backendName: string, recorder: Recorder): void {
  recorders.set(backendName, recorder)
}

/** Whether the current backend records: a computation is then best done in one piece, without reading in between. */
export function isRecording(): boolean {
  return recorders.has(tf.getBackend())
}

export function createProgram(body: ProgramBody, options: ProgramOptions = {}): Program {
  const recorder = recorders.get(tf.getBackend())
  if (recorder !== undefined) return recorder.createProgram(body, options)
  return { run: (inputs) => Promise.resolve(tf.tidy(() => body(inputs))), dispose: () => undefined }
}

/** Where the backend records: computes all that was asked for so far, without reading it. Others have done so. */
export async function settleRecorded(): Promise<void> {
  await recorders.get(tf.getBackend())?.settle()
}
