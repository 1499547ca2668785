import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import type { MethodResult } from '../../core/contract/methods.ts'
import { writeVerifiedMask } from '../../imaging/index.ts'
import type { Masks } from '../annotation/masks.ts'
import { maskEnding } from '../annotation/snapshots.ts'
import type { Cases } from '../project/cases.ts'
import type { Project } from '../project/project.ts'
import type { Volumes } from '../volume/volumes.ts'

export interface ExportParts {
  readonly project: Project
  readonly cases: Cases
  readonly masks: Masks
  readonly volumes: Volumes
}

/**
 * Writes the mask of a case in the geometry of its image, reads it back and compares; only then does it get its name.
 * `target` null: exports/<case>-mask.nii.gz or .png. Throws CodedError: `bad-request` where the name does not fit or
 * is that of an image or of the project itself, `verify-failed`, and what the disk says.
 */
export async function exportMask(
  parts: ExportParts,
  caseId: string,
  target: string | null,
): Promise<MethodResult<'export.mask'>> {
  const { project, cases, masks, volumes } = parts
  const record = cases.get(caseId)
  const ending = maskEnding(record.kind)
  const path =
    target === null ? join(project.folders.exports, `${record.stem}-mask${ending}`) : withEnding(target, ending)
  await refuseOurOwn(parts, path)
  const source = await volumes.get(caseId)
  const { labels, revision } = await masks.use(caseId, (mask) => ({
    labels: mask.labels.slice(),
    revision: mask.revision,
  }))
  const { bytes } = await writeVerifiedMask(path, labels, source)
  cases.setSaved(caseId, revision)
  return { path, bytes, ...contents(labels), verified: true }
}

function contents(labels: Uint8Array): { voxels: number; labels: number[] } {
  const counts = new Uint32Array(256)
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1
  const present = [...counts.keys()].filter((label) => label > 0 && (counts[label] ?? 0) > 0)
  return { voxels: labels.length - (counts[0] ?? 0), labels: present }
}

/** A name without ending gets one; another ending is refused, since the file would lie about what it is. */
function withEnding(path: string, ending: '.nii.gz' | '.png'): string {
  const name = basename(path)
  const fits = ending === '.png' ? /\.png$/i : /\.nii(\.gz)?$/i
  if (fits.test(name)) return path
  if (!/\.[a-z0-9]{1,5}$/i.test(name)) return `${path}${ending}`
  throw new CodedError(
    'bad-request',
    `The mask of this image is saved as ${ending}, so "${name}" must end in ${ending}.`,
  )
}

/** No image of the project, by whatever name or link, and nothing that the project itself keeps. */
async function refuseOurOwn({ project, cases }: ExportParts, path: string): Promise<void> {
  const existing = await stat(path, { bigint: true }).catch(() => null)
  if (existing?.isDirectory())
    throw new CodedError('bad-request', `"${basename(path)}" is a folder; add a file name to it.`)
  const [top] = relative(project.dir, path).split(/[\\/]/)
  if (top === 'masks' || top === 'models' || top === 'images') {
    throw new CodedError('bad-request', `The project keeps its own files in "${top}"; save the mask in another folder.`)
  }
  if (existing === null) return
  for (const stored of cases.everyPath()) {
    const image = project.resolvedPath(stored)
    if (!existsSync(image)) continue
    const { dev, ino } = await stat(image, { bigint: true })
    if (dev === existing.dev && ino === existing.ino) {
      throw new CodedError('bad-request', `"${basename(path)}" is an image of this project; choose another name.`)
    }
  }
}
