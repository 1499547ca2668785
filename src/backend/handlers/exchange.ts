import type { Handlers } from '../../core/contract/methods.ts'
import { importMask, lookAtMask } from '../annotation/importMask.ts'
import { exportMask } from '../export/exportMask.ts'
import type { Services } from '../services.ts'

type Exchange = Pick<Handlers, 'mask.look' | 'mask.import' | 'export.mask' | 'export.dataset'>

/** Masks from files and to files. */
export function exchangeHandlers(services: Services): Exchange {
  const { files, news, datasets } = services
  const target = (fileId: string | null): string | null => (fileId === null ? null : files.path(fileId, 'save'))
  return {
    'mask.look': ({ caseId, fileId }, { signal }) => lookAtMask(services, caseId, files.path(fileId, 'open'), signal),
    'mask.import': ({ fileId, ...params }, { signal, sessionId }) =>
      importMask(services, params, files.path(fileId, 'open'), { signal, origin: sessionId }),
    'export.mask': async ({ caseId, fileId, format }, { signal }) => {
      const written = await exportMask(services, { caseId, target: target(fileId), format }, signal)
      news.projectChanged()
      return written
    },
    'export.dataset': ({ format, caseIds, only, fileId }, context) =>
      datasets.start({ format, caseIds, only: only ?? null, target: target(fileId) }, [context]),
  }
}
