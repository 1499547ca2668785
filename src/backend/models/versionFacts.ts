import { basename, isAbsolute, posix, win32 } from 'node:path'
import { z } from 'zod'
import { idSchema, modelSummarySchema } from '../../core/contract/schemas.ts'
import { allData, type LineageParts } from './lineage.ts'
import { learnedCaseSchema } from './origin.ts'

/** What `models.describe` takes; a name of a project or of a card may be longer. */
const NAME = 200
const NOTES = 20_000
const TAGS = { count: 20, length: 40 }
/** Far more than any training has; a file from elsewhere may say anything. */
const CASES = 100_000
const SETTINGS = { depth: 8, values: 100_000, text: 4000 }

const settingsSchema = z.record(z.string(), z.unknown()).refine((settings) => isSmall(settings))

/**
 * What is known of a version beside its network, in the file of it. What it was judged by stays behind: those sentences name cases
 * and were typed by somebody, and in another project nothing could be held against them.
 */
export const versionFactsSchema = z.object({
  id: idSchema,
  name: z.string().max(NAME),
  version: z.int().positive(),
  parentId: idSchema.nullable(),
  mode: modelSummarySchema.shape.mode,
  notes: z.string().max(NOTES),
  tags: z.array(z.string().max(TAGS.length)).max(TAGS.count),
  settings: settingsSchema,
  /** What it learned from, its ancestors' included. */
  data: z.array(learnedCaseSchema.extend({ name: z.string().max(NAME), imageHash: z.string().max(128) })).max(CASES),
  correctionBefore: z.number().nullable(),
  correctionAfter: z.number().nullable(),
})
export type VersionFacts = z.infer<typeof versionFactsSchema>

/**
 * What the file of a version says of it. Names of cases stay behind, since they may be those of patients, and so do the folders of
 * this computer; images are known by their hashes. Throws CodedError('not-found').
 */
export function factsOf(parts: Pick<LineageParts, 'db' | 'cases' | 'models'>, modelId: string): VersionFacts {
  const { id, name, version, parentId, mode, notes, tags } = parts.models.get(modelId)
  const { settings, correctionBefore, correctionAfter } = parts.models.origin(modelId)
  const data = allData(parts, modelId).map(({ caseId, imageHash, revision, slices }) => ({
    ...{ caseId, name: `image ${imageHash.slice(0, 12)}`, imageHash, revision: revision ?? 0, slices },
  }))
  return {
    ...{ id, name: name.slice(0, NAME), version, parentId, mode, notes, tags },
    settings: settingsSchema.parse(withoutFolders(settings)),
    ...{ data, correctionBefore, correctionAfter },
  }
}

/** Of a path, the last name alone. */
function withoutFolders(value: unknown): unknown {
  if (typeof value === 'string') {
    if (win32.isAbsolute(value) && !posix.isAbsolute(value)) return win32.basename(value)
    return isAbsolute(value) ? basename(value) : value
  }
  if (Array.isArray(value)) return value.map(withoutFolders)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withoutFolders(each)]))
}

/** Not so deep, nor of so many values, nor of such long texts that reading or showing it would take long. */
function isSmall(settings: unknown): boolean {
  let values = 0
  const fits = (value: unknown, depth: number): boolean => {
    if (++values > SETTINGS.values || depth > SETTINGS.depth) return false
    if (typeof value === 'string') return value.length <= SETTINGS.text
    if (typeof value !== 'object' || value === null) return true
    return Object.entries(value).every(([name, each]) => name.length <= NAME && fits(each, depth + 1))
  }
  return fits(settings, 0)
}
