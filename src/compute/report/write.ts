import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { REPORT_FILE } from '../../core/contract/report.ts'
import { writeAtomically, writeError } from '../../imaging/files.ts'
import { casesCsv } from './csv.ts'
import { htmlOf } from './html.ts'
import type { RecipeReport } from '../../core/contract/report.ts'

/** Writes a file of a folder that is still being made, and brought to the disk as a whole. Throws as any writing does. */
export async function put(path: string, content: Uint8Array | string): Promise<void> {
  try {
    await writeFile(path, content)
  } catch (error) {
    throw writeError(error, path)
  }
}

/** cases.csv, report.json and report.html, from what the figures folder holds; each there whole or not at all. */
export async function writeReport(dir: string, report: RecipeReport): Promise<void> {
  const files = {
    'cases.csv': casesCsv(report),
    'report.html': await htmlOf(dir, report),
    [REPORT_FILE]: `${JSON.stringify(report, null, 1)}\n`,
  }
  for (const [file, text] of Object.entries(files)) await writeAtomically(join(dir, file), [Buffer.from(text)])
}
