import { CodedError } from '../../core/contract/errors.ts'
import type { Handlers } from '../../core/contract/methods.ts'
import { acceptPrediction } from '../prediction/accept.ts'
import { completePath, targetOfText } from '../files/paths.ts'
import { coverageOf } from '../review/coverage.ts'
import type { Services } from '../services.ts'
import { lookInto } from '../worklist/choices.ts'
import { computeHandlers } from './compute.ts'
import { exchangeHandlers } from './exchange.ts'
import { learningHandlers } from './learning.ts'
import { recipeHandlers, type RecipeParts } from './recipes.ts'
import { slideHandlers } from './slides.ts'

/** What the backend's shell says of itself in `app.info`. */
export interface ShellInfo {
  readonly version: string
  readonly shell: 'electron' | 'browser' | 'test'
}

type Part<Prefix extends string> = { [M in keyof Handlers as M extends `${Prefix}.${string}` ? M : never]: Handlers[M] }

/** One function a method of the contract. Each translates ids and delegates; the work is in the services. */
export function createHandlers(services: RecipeParts, info: ShellInfo): Handlers {
  return {
    ...appHandlers(services, info),
    ...projectHandlers(services),
    ...fileHandlers(services),
    ...caseHandlers(services),
    ...annotationHandlers(services),
    ...labelHandlers(services),
    ...computeHandlers(services),
    ...learningHandlers(services),
    ...exchangeHandlers(services),
    ...slideHandlers(services),
    ...recipeHandlers(services),
  }
}

function appHandlers(
  { compute, settings }: Services,
  info: ShellInfo,
): Omit<Part<'app'>, 'app.doctor'> & Part<'settings'> {
  return {
    'app.info': async () => ({ ...info, nativeDialogs: false, compute: compute.status() }),
    'settings.get': async () => settings.all(),
    'settings.set': async ({ key, value }) => {
      if (key.startsWith('.')) throw new CodedError('bad-request', `The setting "${key}" cannot be stored.`)
      settings.set(key, value)
      return {}
    },
  }
}

function projectHandlers(services: Services): Pick<Handlers, 'project.get'> {
  const { project, labels, worklist, models, jobs, settings, cases } = services
  return {
    'project.get': async () => {
      const lastCase = settings.get('.lastCase')
      const known = typeof lastCase === 'string' && cases.find(lastCase)?.removed === false
      return {
        id: project.id,
        name: project.name,
        path: project.dir,
        labels: labels.list(),
        cases: worklist.summaries(),
        models: models.list(),
        jobs: jobs.list(),
        lastCaseId: known ? lastCase : null,
        isDemo: project.isDemo,
        coverage: coverageOf(settings),
      }
    },
  }
}

function fileHandlers({ files, uploads }: Services): Part<'files'> {
  const noDialogs = async (): Promise<never> => {
    throw new CodedError('unknown-method', 'This shell has no file dialogs; type the path instead.')
  }
  return {
    'files.openDialog': noDialogs,
    'files.saveDialog': noDialogs,
    'files.complete': ({ text, kind }) => completePath(text, kind, files),
    'files.target': ({ text }) => targetOfText(text, files),
    'files.uploadBegin': async ({ name, size, folder }) => ({
      uploadId: await uploads.begin(name, size, folder ?? null),
    }),
    'files.uploadChunk': async ({ uploadId, offset, bytes }) => {
      await uploads.chunk(uploadId, offset, bytes)
      return {}
    },
    'files.uploadEnd': ({ uploadId }) => uploads.end(uploadId),
  }
}

function caseHandlers(services: Services): Part<'case'> & Part<'volume'> {
  const { files, worklist, settings, cases, masks, volumes, slides, looks, predictor, snapshots, news } = services
  const { stream, live, holdout, events } = services
  return {
    'case.add': async ({ fileId, selection }, { signal }) => {
      const added = await worklist.add(files.path(fileId, 'open'), { selection, signal })
      news.projectChanged()
      return added
    },
    'case.look': ({ fileId, selection }, { signal }) => lookInto(files.path(fileId, 'open'), selection, signal),
    'case.acknowledge': async ({ caseId }) => {
      worklist.acknowledge(caseId)
      return {}
    },
    'case.useForm': async ({ caseId, affine }) => {
      cases.get(caseId)
      await predictor.stop(caseId)
      const before = cases.get(caseId).selection.affine
      const detail = await worklist.useForm(caseId, affine)
      stream.lost([caseId])
      live.forgetImages()
      // The mask lies with the image, also the one that others read in the project.
      if (detail.revision > 0 && detail.selection.affine !== before) snapshots.changed(caseId)
      // Predictions of another view are given up, in every window.
      news.slicesChanged(caseId)
      news.projectChanged()
      return detail
    },
    'case.open': async ({ caseId }) => {
      const detail = await worklist.detail(caseId)
      if (detail.kind !== 'slide') {
        await masks.use(caseId, () => undefined)
        stream.follow(caseId)
      }
      settings.set('.lastCase', caseId)
      return detail
    },
    'case.detail': ({ caseId }) => worklist.detail(caseId),
    'case.remove': async ({ caseId }) => {
      cases.get(caseId)
      await predictor.stop(caseId)
      cases.setRemoved(caseId, true)
      stream.drop(caseId)
      live.forgetImages()
      volumes.forget(caseId, { abort: true })
      slides.forget(caseId)
      looks.forget(caseId)
      news.projectChanged()
      if (holdout.caseIds().has(caseId)) events.emit('holdout.changed', holdout.state())
      return {}
    },
    'case.relocate': async ({ caseId, fileId }) => {
      const summary = await worklist.relocate(caseId, files.path(fileId, 'open'))
      news.projectChanged()
      return summary
    },
    'case.thumbnail': ({ caseId }) => worklist.thumbnail(caseId),
    'volume.slice': ({ caseId, axis, index }, { signal }) => volumes.slice(caseId, axis, index, signal),
  }
}

function annotationHandlers(services: Services): Part<'annotation'> {
  const { annotations, predictions } = services
  return {
    'annotation.slice': async ({ caseId, axis, index, layer }) =>
      layer === 'mask' ? annotations.slice(caseId, axis, index) : predictions.slice(caseId, axis, index, layer),
    'annotation.commit': ({ caseId, delta }, { sessionId }) => annotations.commit(caseId, delta, sessionId),
    'annotation.undo': ({ caseId }, { sessionId }) => annotations.undo(caseId, sessionId),
    'annotation.redo': ({ caseId }, { sessionId }) => annotations.redo(caseId, sessionId),
    'annotation.history': ({ caseId }) => annotations.history(caseId),
    'annotation.accept': (params, { sessionId }) => acceptPrediction(services, params, sessionId),
  }
}

function labelHandlers({ labels, tallies, annotations, events }: Services): Part<'labels'> {
  const changed = (): void => events.emit('labels.changed', { labels: labels.list() })
  return {
    'labels.add': async ({ name, color }) => {
      const label = labels.add(name, color)
      changed()
      return label
    },
    'labels.update': async ({ value, change }) => {
      const label = labels.update(value, change)
      changed()
      return label
    },
    'labels.usage': async ({ value }) => {
      labels.get(value)
      return tallies.usage(value)
    },
    'labels.remove': async ({ value }, { sessionId }) => {
      await annotations.removeLabel(value, sessionId)
      return {}
    },
  }
}
