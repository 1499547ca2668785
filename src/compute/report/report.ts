import { CodedError } from '../../core/contract/errors.ts'
import type { Report, ReportOptions } from './types.ts'

/** Starts the report of a training. Throws `disk-full`, `no-permission` … as any writing does. */
export async function createReport(_options: ReportOptions): Promise<Report> {
  const missing = async (): Promise<never> => {
    throw new CodedError('unknown-method', 'The report cannot be written yet.')
  }
  return { addEpoch: missing, addCase: missing, finish: missing }
}
