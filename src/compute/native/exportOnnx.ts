export interface NetworkExport {
  /** Between the logits of the file, run by ONNX Runtime, and those of TensorFlow.js, relative to the largest of them. */
  readonly maxDifference: number
}

/**
 * Writes the network of the model folder `modelDir` to `outPath` as a standard ONNX model: one input "image"
 * [n, 1, h, w] float32 in [0, 1], one output "logits" [n, classes, h, w]; any n, h and w (multiples of the card's step)
 * where the network allows it. What the card knows is in the file's metadata. The written file is read again, run, and
 * compared with the network here; it only gets its name when it agrees. Throws CodedError: 'bad-file' for a model
 * that cannot be read or written so, and as atomic writing does.
 */
export function exportNetwork(modelDir: string, outPath: string): Promise<NetworkExport> {
  return Promise.reject(new Error(`Not written yet: ${modelDir} to ${outPath}.`))
}
