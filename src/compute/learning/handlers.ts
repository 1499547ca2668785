import { createExaminationHandlers } from './examination.ts'
import { createLive } from './live.ts'
import { createResident } from './resident.ts'
import type { learningComputeMethods } from '../../core/contract/computeLearning.ts'
import type { ModelCache } from '../models/cache.ts'
import type { Runtime } from '../runtime/start.ts'
import type { ComputeHandlers } from '../server.ts'
import type { Resident } from './resident.ts'

/** What is kept of open cases, trainings between strokes, scores and examinations. */
export interface Learning {
  readonly handlers: Pick<ComputeHandlers, keyof typeof learningComputeMethods>
  readonly resident: Resident
  /** A training between strokes is open, with what it learned and did not save. */
  isTraining(): boolean
}

export function createLearning(runtime: Promise<Runtime>, models: ModelCache): Learning {
  const resident = createResident()
  const live = createLive(runtime, models, resident)
  return {
    resident,
    isTraining: () => live.isOpen(),
    handlers: {
      async openCase(opened) {
        await resident.open(opened)
        return {}
      },
      async patchCase(patch) {
        return { revision: await resident.patch(patch) }
      },
      async keepSlices(slices) {
        resident.keep(slices)
        return {}
      },
      async closeCase({ caseId }) {
        resident.close(caseId)
        return {}
      },
      async liveOpen(order, call) {
        await live.open(order, call)
        return {}
      },
      async liveRun(order, call) {
        return await live.run(order, call)
      },
      async liveSave(order) {
        return { card: await live.save(order) }
      },
      async liveClose({ modelId }) {
        await live.close(modelId)
        return {}
      },
      ...createExaminationHandlers(runtime, models, resident),
    },
  }
}
