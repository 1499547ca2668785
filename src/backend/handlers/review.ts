import type { Handlers } from '../../core/contract/methods.ts'
import { approve } from '../review/approve.ts'
import { setCoverage } from '../review/coverage.ts'
import type { Services } from '../services.ts'

type ReviewHandlers = Pick<Handlers, 'slice.approve' | 'slice.coverage' | 'queue.get' | 'queue.rank'>

/** What slices are, and which to look at next. */
export function reviewHandlers(services: Services): ReviewHandlers {
  const { project, news, queue, ranker } = services
  const changes = {
    db: project.db,
    slicesChanged: (caseId: string): void => news.slicesChanged(caseId),
    touched: (): void => news.projectChanged(),
  }
  return {
    'slice.approve': (params, { sessionId }) => approve(services, params, sessionId),
    'slice.coverage': async ({ caseId, index, coverage }) => ({
      coverage: setCoverage({ ...services, ...changes }, { caseId, index }, coverage),
    }),
    'queue.get': async ({ limit }) => queue.get(limit),
    'queue.rank': async ({ caseIds }, context) => ranker.start(caseIds, [context]),
  }
}
