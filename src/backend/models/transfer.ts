import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import type { ModelSummary } from '../../core/contract/schemas.ts'
import { Mismatch, syncFolder, writeProven } from '../../imaging/index.ts'
import { storageError } from '../errors.ts'
import { refuseOurOwn } from '../export/targets.ts'
import { safeName } from '../files/names.ts'
import { priorities, type Lane } from '../jobs/lane.ts'
import type { Labels } from '../project/labels.ts'
import type { Project } from '../project/project.ts'
import { readModelFolder, stripFolder } from './folder.ts'
import type { LineageParts } from './lineage.ts'
import { factsOf, type VersionFacts } from './versionFacts.ts'
import { readVersionFile, VERSION_ENDING, writeVersionFile } from './versionFile.ts'

export interface TransferParts extends LineageParts {
  readonly project: Project
  readonly labels: Labels
  readonly lane: Lane
}

/**
 * Writes a version as one file, reads it back and compares; only then does it get its name. `target` null: a name of its own in the
 * project's exports/. In it are the network and what `factsOf` says; reports, judgements and names of cases stay behind.
 * Throws CodedError: `not-found`, `file-missing` where its weights were deleted, `verify-failed`, and as the disk says.
 */
export async function exportVersion(
  parts: TransferParts,
  modelId: string,
  target: string | null,
  signal: AbortSignal,
): Promise<{ path: string; bytes: number }> {
  const { models, project } = parts
  const { dir } = models.record(modelId)
  const facts = factsOf(parts, modelId)
  const own = `${safeName(facts.name)}-version-${facts.version}${VERSION_ENDING}`
  const wanted = target ?? join(project.folders.exports, own)
  const path = wanted.toLowerCase().endsWith(VERSION_ENDING) ? wanted : `${wanted}${VERSION_ENDING}`
  await refuseOurOwn(parts, path, 'file')
  const proven = {
    ending: VERSION_ENDING,
    signal,
    write: (aside: string) => writeVersionFile(aside, dir, facts),
    check: async (aside: string) => {
      const read = await readVersionFile(aside, null, signal)
      if (JSON.stringify(read) !== JSON.stringify(facts)) throw new Mismatch('it says something else of the version')
    },
  }
  const { bytes } = await models.hold([modelId], () => writeProven(path, proven))
  return { path, bytes }
}

/**
 * Adds a version from such a file, with the labels that the project lacks; it is not used until it is chosen. One whose weights were
 * deleted gets them back. Throws CodedError: `bad-file`, `conflict` where it is there already or a label means something else here,
 * `cancelled`, and as the disk says; then nothing has changed.
 */
export async function importVersion(parts: TransferParts, path: string, signal: AbortSignal): Promise<ModelSummary> {
  const { models, lane, project } = parts
  // Within a turn, as every folder of a version is written: between turns what is not registered is cleared away.
  return lane.run(priorities.visibleSlice, signal, async () => {
    const aside = join(project.folders.models, `.${randomUUID()}.tmp`)
    try {
      await mkdir(project.folders.models, { recursive: true })
      const facts = await readVersionFile(path, aside, signal)
      refuseOtherNetwork(aside, path, facts)
      if (models.has(facts.id)) return await restore(parts, aside, path, facts)
      return await adopt(parts, aside, facts)
    } finally {
      await rm(aside, { recursive: true, force: true })
    }
  })
}

async function adopt(parts: TransferParts, aside: string, facts: VersionFacts): Promise<ModelSummary> {
  const { models, labels, db } = parts
  const card = readModelFolder(aside)
  refuseOtherLabels(labels, card.labels)
  const version = models.nextVersion()
  const dir = models.dirOf(version)
  await moveIn(aside, dir)
  try {
    return db.transaction(() => {
      for (const { value, name } of card.labels) labels.adopt(value, name)
      const { name, notes, tags, settings, data, correctionBefore, correctionAfter } = facts
      const parentId = facts.parentId !== null && models.has(facts.parentId) ? facts.parentId : null
      const origin = { settings, data, correctionBefore, correctionAfter }
      const { id } = models.add(version, { ...origin, parentId, learned: [], mode: 'imported' })
      models.describe(id, { name, notes, tags })
      return models.get(id)
    })
  } catch (error) {
    labels.reload()
    await rm(dir, { recursive: true, force: true })
    throw error
  }
}

/** The folder of a version whose network was deleted; what its training was reported to come to comes with the file. */
async function restore(
  { models }: TransferParts,
  aside: string,
  path: string,
  { id }: VersionFacts,
): Promise<ModelSummary> {
  const { version, pruned } = models.get(id)
  const file = `"${basename(path)}"`
  if (!pruned) {
    throw new CodedError(
      'conflict',
      `The model in ${file} is in the project already, as version ${version}; use that one.`,
    )
  }
  const { checksums } = models.origin(id).card
  if (checksums !== null && checksums.card !== readModelFolder(aside).checksums?.card) {
    throw new CodedError('conflict', `${file} holds another model than version ${version} was; choose the right one.`)
  }
  // One by one, beside the report that was kept. Until it is recorded, the version is a pruned one, whose network is cleared away.
  const dir = models.dirOf(version)
  try {
    await mkdir(dir, { recursive: true })
    for (const name of await readdir(aside)) await rename(join(aside, name), join(dir, name))
    await syncFolder(dir)
    models.restore(id)
  } catch (error) {
    stripFolder(dir)
    throw storageError(error, dir)
  }
  return models.get(id)
}

async function moveIn(aside: string, dir: string): Promise<void> {
  try {
    await rename(aside, dir)
    await syncFolder(join(dir, '..'))
  } catch (error) {
    throw storageError(error, dir)
  }
}

function refuseOtherNetwork(aside: string, path: string, { id }: VersionFacts): void {
  let found: string | null = null
  try {
    found = readModelFolder(aside).id
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
  }
  if (found === id) return
  throw new CodedError('bad-file', `"${basename(path)}" holds no model that this version can read; export it again.`)
}

function refuseOtherLabels(labels: Labels, meant: readonly { readonly value: number; readonly name: string }[]): void {
  const plain = (name: string): string => name.trim().toLowerCase()
  const other = meant.find(({ value, name }) => {
    const known = labels.isCurrent(value) || labels.isArchived(value)
    return known && plain(labels.nameOf(value)) !== plain(name)
  })
  if (other === undefined) return
  throw new CodedError(
    'conflict',
    `Label ${other.value} of this project is "${labels.nameOf(other.value)}", that of the model "${other.name}"; ` +
      'rename it first if they mean the same.',
  )
}
