import { createForeignEngine } from './foreign/engine.ts'
import { exportModel } from './foreign/exporting.ts'
import { importNetwork } from './foreign/importing.ts'
import { predictSlices } from './inference/predict.ts'
import { createModelCache } from './models/cache.ts'
import { saveModel } from './models/files.ts'
import { trainedCard } from './models/trainedCard.ts'
import { createLearning } from './learning/handlers.ts'
import { createCaseHandlers } from './recipes/caseHandlers.ts'
import { createRecipeHandlers } from './recipes/handlers.ts'
import { predictFile } from './recipes/predictFile.ts'
import { predictionProgress, warn } from './progress.ts'
import { doctor } from './runtime/doctor.ts'
import { threadCount } from './runtime/threads.ts'
import { versions } from './runtime/versions.ts'
import { trainModel } from './training/train.ts'
import type { ForeignEngine } from './foreign/engine.ts'
import type { ComputeHandlers } from './server.ts'
import type { TrainedModel, TrainOptions } from './training/train.ts'
import type { LoadedModel } from './models/files.ts'
import type { Runtime, RuntimeOptions } from './runtime/start.ts'

/** The methods of the compute process, each waiting until the backend is chosen and proven. */
export function createHandlers(
  runtime: Promise<Runtime>,
  options: RuntimeOptions,
  foreign = foreignEngine(options),
  models = createModelCache(foreign),
  learning = createLearning(runtime, models),
): ComputeHandlers {
  return {
    async status() {
      const { backend, provider, threads, device, cached, versions } = await runtime
      return { backend, provider, threads, device, cached, versions }
    },
    async doctor({ fresh, known }, { signal }) {
      // Where nothing could be started, doctor says why.
      const started = await runtime.catch(() => null)
      return await doctor(options, started, { fresh, known, signal })
    },
    async predict({ modelDir, slices, entropy }, { signal, onProgress, notify }) {
      await runtime
      const start = performance.now()
      const options = { entropy, signal, onProgress: predictionProgress(onProgress), notify: warn(notify) }
      const predicted = await models.withAny(modelDir, (model) => predictSlices(model, slices, options))
      return { slices: predicted, seconds: (performance.now() - start) / 1000 }
    },
    async train(params, { signal, onProgress, notify }) {
      const { backend, threads, device, versions: used } = await runtime
      const { parentDir, outDir, modelId, name, createdAt, labels, steps, seconds, seed, recipe, continuing } = params
      const samples = await learning.resident.resolve(params)
      const options: Omit<TrainOptions, 'parent'> = {
        labels,
        samples,
        steps,
        seconds,
        seed,
        continuing,
        backend,
        signal,
        onProgress,
        notify: warn(notify),
      }
      const train = async (
        parent: LoadedModel | null,
      ): Promise<{ trained: TrainedModel; parentId: string | null }> => ({
        trained: await trainModel({ parent, ...options }),
        parentId: parent?.card.id ?? null,
      })
      const { trained, parentId } = await (parentDir === null ? train(null) : models.with(parentDir, train))
      try {
        const identity = { id: modelId, parentId, name, createdAt, labels }
        const machine = { threads, device: device.name, versions: used }
        const card = await trainedCard({ identity, recipe, samples }, trained, machine)
        return { card: await saveModel(outDir, trained.network, card) }
      } finally {
        trained.network.dispose()
      }
    },
    ...createRecipeHandlers(runtime),
    async predictFile({ modelDir, ...order }, { signal, onProgress, notify }) {
      await runtime
      const call = { signal, onProgress: predictionProgress(onProgress), notify: warn(notify) }
      return await models.withAny(modelDir, (model) => predictFile(model, order, call))
    },
    ...createCaseHandlers(),
    ...learning.handlers,
    async inspectNetwork({ file }, { signal }) {
      return await foreign.inspect(file, signal)
    },
    async importNetwork(order) {
      return await importNetwork(foreign, order, versions(options.packagesDir ?? null))
    },
    async exportNetwork({ modelDir, file }) {
      // Whatever records and runs it is ready only then.
      await runtime
      return await exportModel(foreign, modelDir, file)
    },
  }
}

/** Of this process: networks are tried in the one of `probeEntry` first. */
export function foreignEngine({ probeEntry, threads = 0, packagesDir = null }: RuntimeOptions): ForeignEngine {
  return createForeignEngine({ entry: probeEntry ?? null, threads: threadCount(threads), packagesDir })
}
