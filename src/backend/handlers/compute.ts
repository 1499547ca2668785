import { CodedError } from '../../core/contract/errors.ts'
import type { Handlers } from '../../core/contract/methods.ts'
import type { Services } from '../services.ts'

type ComputeHandlers = Pick<
  Handlers,
  | 'app.doctor'
  | 'compute.settings'
  | 'compute.configure'
  | 'models.inspect'
  | 'models.import'
  | 'predict.start'
  | 'job.cancel'
>

const CONFIGURE_BUSY =
  'A training or a prediction is running; wait for it, or cancel it, then change the settings of compute.'

/** What has to do with compute: its settings, and the jobs that it works on. */
export function computeHandlers(services: Services): ComputeHandlers {
  const { compute, examiner, ranker, models, importer, predictor, jobs, events, news, files, labels, live } = services
  return {
    'app.doctor': async ({ fresh }, { signal }) => {
      if (ranker.unasked) await ranker.giveWay()
      return examiner.report(fresh, signal)
    },
    'compute.settings': async () => {
      const { kept, overruled } = compute.settings()
      return { ...kept, overruled }
    },
    'compute.configure': async (settings) => {
      if (ranker.unasked) await ranker.giveWay()
      if (jobs.live().length > 0) throw new CodedError('busy', CONFIGURE_BUSY)
      await live.suspended(() => compute.configure(settings))
      return {}
    },
    'models.inspect': ({ fileId }, { signal }) => importer.inspect(files.path(fileId, 'open'), signal),
    'models.import': async ({ fileId, meaning }, { signal }) => {
      const model = await importer.import(files.path(fileId, 'open'), meaning, signal)
      events.emit('labels.changed', { labels: labels.list() })
      events.emit('models.changed', { models: models.list() })
      news.projectChanged()
      return model
    },
    'predict.start': async ({ caseId, index }, context) => predictor.start(caseId, index, [context]),
    'job.cancel': async ({ jobId }, context) => jobs.cancel(jobId, context),
  }
}
