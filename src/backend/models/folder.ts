import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { REPORT_FILE, REPORT_FOLDER } from '../../core/contract/report.ts'

/** Does the model folder hold what its training came to? */
export function hasReport(dir: string): boolean {
  return existsSync(join(dir, REPORT_FOLDER, REPORT_FILE))
}
