import type { learningMethods } from '../../core/contract/learningMethods.ts'
import type { Handlers } from '../../core/contract/methods.ts'
import type { Services } from '../services.ts'
import { registryHandlers } from './registry.ts'
import { reviewHandlers } from './review.ts'

type LearningHandlers = Pick<Handlers, keyof typeof learningMethods>

/** Trainings of what was corrected. */
export function learningHandlers(services: Services): LearningHandlers {
  const { trainer, live } = services
  return {
    ...reviewHandlers(services),
    ...registryHandlers(services),
    'train.start': async (params, context) => trainer.start(params, [context]),
    'live.get': async () => live.state(),
    'live.set': async ({ on, show }, context) => live.set(on, show, context),
    'live.show': async ({ show }) => {
      live.show(show)
      return {}
    },
    'live.pen': async ({ down }, { sessionId }) => {
      live.pen(sessionId, down)
      return {}
    },
  }
}
