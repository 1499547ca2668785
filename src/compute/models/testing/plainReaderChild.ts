/**
 * What any program can do with a model folder: read model.json and its weights with TensorFlow.js alone, nothing of
 * Maskwright. Run as `node plainReaderChild.ts DIR… ` with float32 images of 16 x 16 pixels on standard input; prints the
 * logits of each model as a line of JSON.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stdin, stdout } from 'node:process'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { loadLayersModel } from '@tensorflow/tfjs-layers'

interface ModelJson {
  readonly modelTopology: object
  readonly weightsManifest: readonly {
    readonly paths: readonly string[]
    readonly weights: tf.io.WeightsManifestEntry[]
  }[]
}

const chunks: Buffer[] = []
for await (const chunk of stdin) chunks.push(chunk as Buffer)
const pixels = new Float32Array(Uint8Array.from(Buffer.concat(chunks)).buffer)

for (const dir of process.argv.slice(2)) {
  const { modelTopology, weightsManifest } = JSON.parse(readFileSync(join(dir, 'model.json'), 'utf8')) as ModelJson
  const files = weightsManifest.flatMap(({ paths }) => paths.map((name) => readFileSync(join(dir, name))))
  const model = await loadLayersModel({
    load: async () => ({
      modelTopology,
      weightSpecs: weightsManifest.flatMap(({ weights }) => weights),
      weightData: Uint8Array.from(Buffer.concat(files)).buffer,
    }),
  })
  const logits = model.predict(tf.tensor4d(pixels, [pixels.length / 256, 16, 16, 1])) as tf.Tensor
  stdout.write(`${JSON.stringify([...logits.dataSync()])}\n`)
}
