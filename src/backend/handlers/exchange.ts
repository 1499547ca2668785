import { CodedError } from '../../core/contract/errors.ts'
import type { Handlers } from '../../core/contract/methods.ts'
import { exportMask } from '../export/exportMask.ts'
import type { Services } from '../services.ts'

type Exchange = Pick<Handlers, 'mask.look' | 'mask.import' | 'export.mask' | 'export.dataset'>

/** Masks from files and to files. */
export function exchangeHandlers(services: Services): Exchange {
  const { files, news } = services
  return {
    'mask.look': notYet,
    'mask.import': notYet,
    'export.mask': async ({ caseId, fileId }) => {
      const written = await exportMask(services, caseId, fileId === null ? null : files.path(fileId, 'save'))
      news.projectChanged()
      return written
    },
    'export.dataset': notYet,
  }
}

async function notYet(): Promise<never> {
  throw new CodedError('unknown-method', 'This cannot be done yet.')
}
