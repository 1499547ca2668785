/**
 * All tensor work: training and prediction with TensorFlow.js. Run as a process of its own by the host (entry.ts, the
 * methods of core/contract/compute.ts over a pipe); scripts may call it in their own process:
 *
 *     const runtime = await startRuntime({ backend: 'wasm' })      // once, chooses and proves a backend
 *     const trained = await trainModel({ parent: null, architecture: { levels: 4, base: 8 }, labels, samples,
 *                                        steps: 2000, seconds: 3600, seed: 1, backend: runtime.backend, onProgress })
 *     const identity = { id, name, createdAt, labels, parentId: null }
 *     const card = await trainedCard({ identity, recipe, samples }, trained, { ...runtime, device: null })
 *     await saveModel(dir, trained.network, card)
 *
 * Prediction is inference/predict.ts, model folders models/files.ts.
 */
export { trainModel } from './training/train.ts'
export type { TrainedModel, TrainOptions } from './training/train.ts'
export { saveModel } from './models/files.ts'
export type { LoadedModel } from './models/files.ts'
export { trainedCard } from './models/trainedCard.ts'
export { startRuntime } from './runtime/start.ts'
