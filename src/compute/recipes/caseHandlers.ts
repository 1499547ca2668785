import { CodedError } from '../../core/contract/errors.ts'
import type { ComputeHandlers } from '../server.ts'

/** What a project is made of: the cases of a recipe's data, and what they are. */
export function createCaseHandlers(): Pick<ComputeHandlers, 'listCases' | 'readTruth'> {
  const missing = async (): Promise<never> => {
    throw new CodedError('unknown-method', 'The compute process cannot do this yet.')
  }
  return { listCases: missing, readTruth: missing }
}
