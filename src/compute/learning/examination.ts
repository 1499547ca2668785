import { predictionProgress, warn } from '../progress.ts'
import { animateSlice } from './animate.ts'
import { drawChart } from './chart.ts'
import { examineSlices } from './examine.ts'
import { scoreSlices } from './score.ts'
import type { ModelCache } from '../models/cache.ts'
import type { Runtime } from '../runtime/start.ts'
import type { ComputeCall, ComputeHandlers } from '../server.ts'
import type { Resident } from './resident.ts'

/** How sure a model is, how good it is, and the figures that show it. */
export function createExaminationHandlers(
  runtime: Promise<Runtime>,
  models: ModelCache,
  resident: Pick<Resident, 'resolve'>,
): Pick<ComputeHandlers, 'score' | 'examine' | 'animate' | 'chart'> {
  const running = ({ signal, onProgress, notify }: ComputeCall) => {
    return { signal, onProgress: predictionProgress(onProgress), notify: warn(notify) }
  }
  return {
    async score({ modelDir, ...lessons }, call) {
      await runtime
      const start = performance.now()
      const samples = await resident.resolve(lessons)
      const slices = await models.withAny(modelDir, (model) => scoreSlices(model, samples, running(call)))
      return { slices, seconds: (performance.now() - start) / 1000 }
    },
    async examine({ modelDir, slices, disagreement }, call) {
      await runtime
      const options = { disagreement, ...running(call) }
      return { slices: await models.withAny(modelDir, (model) => examineSlices(model, slices, options)) }
    },
    async animate(order) {
      return { gif: await animateSlice(order) }
    },
    async chart(order) {
      return { svg: drawChart(order) }
    },
  }
}
