import type { Handlers } from '../../core/contract/methods.ts'
import { detailOf } from '../models/lineage.ts'
import { previewOf, saveAnimation } from '../models/pictures.ts'
import { saveTimeline, timelineOf } from '../models/timeline.ts'
import { exportVersion, importVersion } from '../models/transfer.ts'
import type { Services } from '../services.ts'

type RegistryHandlers = Pick<
  Handlers,
  | 'holdout.get'
  | 'holdout.suggest'
  | 'holdout.set'
  | 'models.activate'
  | 'models.detail'
  | 'models.judge'
  | 'models.judgement'
  | 'models.describe'
  | 'models.prune'
  | 'models.export'
  | 'models.importVersion'
  | 'models.preview'
  | 'models.timeline'
  | 'models.saveTimeline'
  | 'models.animation'
>

/** The versions of the model, the hold-out, and what versions were judged by. */
export function registryHandlers(services: Services): RegistryHandlers {
  const { models, judgements, holdout, promotion, labels, files, events, news } = services
  const parts = { ...services, db: services.project.db }
  const changed = (): void => events.emit('models.changed', { models: models.list() })
  const target = (fileId: string | null): string | null => (fileId === null ? null : files.path(fileId, 'save'))
  return {
    'holdout.get': async () => holdout.state(),
    'holdout.suggest': async () => ({ caseIds: holdout.suggest() }),
    'holdout.set': async ({ caseIds, chosenBy }) => {
      holdout.set(caseIds, chosenBy)
      const state = holdout.state()
      events.emit('holdout.changed', state)
      news.projectChanged()
      return state
    },
    'models.activate': async ({ modelId, reason }) => promotion.activate(modelId, reason),
    'models.detail': async ({ modelId }) => detailOf(parts, modelId),
    'models.judge': async ({ modelId }, context) => promotion.judge(modelId, [context]),
    'models.judgement': async ({ modelId }) => {
      models.get(modelId)
      return { judgement: judgements.latest(modelId) }
    },
    'models.describe': async ({ modelId, ...change }) => {
      models.describe(modelId, change)
      changed()
      return models.get(modelId)
    },
    'models.prune': async ({ modelIds }) => {
      try {
        const { freedBytes } = models.prune(modelIds)
        return { freedBytes, models: models.list() }
      } finally {
        // Also where a file could not be deleted: what was recorded holds.
        changed()
      }
    },
    'models.export': ({ modelId, fileId }, { signal }) => exportVersion(parts, modelId, target(fileId), signal),
    'models.importVersion': async ({ fileId }, { signal }) => {
      const model = await importVersion(parts, files.path(fileId, 'open'), signal)
      events.emit('labels.changed', { labels: labels.list() })
      changed()
      return model
    },
    'models.preview': ({ modelId, caseId, index }, { signal }) => previewOf(parts, modelId, caseId, index, signal),
    'models.timeline': async () => ({ points: timelineOf(parts) }),
    'models.saveTimeline': ({ format, fileId }, { signal }) => saveTimeline(parts, format, target(fileId), signal),
    'models.animation': ({ caseId, index, fileId }, { signal }) =>
      saveAnimation(parts, { caseId, index, target: target(fileId) }, signal),
  }
}
