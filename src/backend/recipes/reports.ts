import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import type { MethodResult } from '../../core/contract/methods.ts'
import {
  FIGURES_FOLDER,
  REPORT_FILE,
  REPORT_FOLDER,
  recipeReportSchema,
  type RecipeReport,
} from '../../core/contract/report.ts'
import { writeAtomically } from '../../imaging/index.ts'
import { storageError, systemCode } from '../errors.ts'
import { refuseOurOwn } from '../export/targets.ts'
import { hasReport } from '../models/folder.ts'
import type { Models } from '../models/models.ts'
import type { Cases } from '../project/cases.ts'
import type { Project } from '../project/project.ts'
import { parsed } from './parsed.ts'

export interface ReportParts {
  readonly project: Project
  readonly cases: Cases
  readonly models: Models
}

const types: Record<string, MethodResult<'models.figure'>['type']> = {
  png: 'image/png',
  svg: 'image/svg+xml',
  gif: 'image/gif',
}

/** Throws CodedError: `not-found` where the version has no report, `bad-file` where it cannot be read. */
export async function readReport({ models }: ReportParts, modelId: string): Promise<RecipeReport> {
  const file = join(reportFolder(models, modelId), REPORT_FILE)
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw storageError(error, file, 'read')
  })
  const report = recipeReportSchema.safeParse(parsed(text))
  if (report.success) return report.data
  throw new CodedError('bad-file', 'The report of this version cannot be read; it is damaged or of a newer version.', {
    detail: `${file}: ${report.error.message}`,
  })
}

/** `file` is one that the report names: a plain name, as the contract has it. */
export async function readFigure(
  { models }: ReportParts,
  modelId: string,
  file: string,
): Promise<MethodResult<'models.figure'>> {
  const path = join(reportFolder(models, modelId), FIGURES_FOLDER, basename(file))
  const type = types[file.slice(file.lastIndexOf('.') + 1)]
  if (type === undefined) throw new CodedError('bad-request', `"${file}" is no figure.`)
  try {
    return { type, bytes: new Uint8Array(await readFile(path)) }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw new CodedError('not-found', `The report has no figure "${file}".`)
    throw storageError(error, path, 'read')
  }
}

/** `target` null: a name of its own in the project's exports/. The file is there whole or not at all. */
export async function saveReport(
  parts: ReportParts,
  modelId: string,
  target: string | null,
): Promise<MethodResult<'models.saveReport'>> {
  const { models, project } = parts
  const source = join(reportFolder(models, modelId), 'report.html')
  const { version } = models.get(modelId)
  const wanted = target ?? join(project.folders.exports, `report-version-${version}.html`)
  const path = /\.html?$/i.test(wanted) ? wanted : `${wanted}.html`
  await refuseOurOwn(parts, path, 'file')
  const page = await readFile(source).catch((error: unknown) => {
    throw storageError(error, source, 'read')
  })
  return { path, bytes: await writeAtomically(path, [page]) }
}

function reportFolder(models: Models, modelId: string): string {
  const dir = models.dirOf(models.get(modelId).version)
  if (hasReport(dir)) return join(dir, REPORT_FOLDER)
  throw new CodedError('not-found', 'This version has no report; only trainings by a recipe write one.')
}
