import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import type { MethodResult } from '../../core/contract/methods.ts'
import type { MaskFormat } from '../../core/contract/schemas.ts'
import { countLabels, defaultFormat, maskEndings, writeMaskAs } from '../../imaging/index.ts'
import type { Masks } from '../annotation/masks.ts'
import type { Cases } from '../project/cases.ts'
import type { Labels } from '../project/labels.ts'
import type { Project } from '../project/project.ts'
import type { Volumes } from '../volume/volumes.ts'
import { refuseOurOwn } from './targets.ts'

export interface ExportParts {
  readonly project: Project
  readonly cases: Cases
  readonly masks: Masks
  readonly volumes: Volumes
  readonly labels: Labels
}

/**
 * Writes the mask of a case in the geometry of its image, reads it back and compares; only then does it get its name.
 * `format` null: NIfTI for volumes, PNG for pictures. `target` null: a name of its own in the project's exports/. Throws
 * CodedError: `bad-request` where the name does not fit or is that of an image or of the project itself, `verify-failed`,
 * `cancelled`, and what the disk says.
 */
export async function exportMask(
  parts: ExportParts,
  { caseId, target, format }: { caseId: string; target: string | null; format: MaskFormat | null },
  signal: AbortSignal,
): Promise<MethodResult<'export.mask'>> {
  const { project, cases, masks, volumes } = parts
  const { stem } = cases.get(caseId)
  return volumes.use(caseId, async (image, ended) => {
    const chosen = format ?? defaultFormat(image)
    const endings = maskEndings(chosen, image.dims[2])
    const path = target === null ? await ownPath(project.folders.exports, stem, endings) : withEnding(target, endings)
    await refuseOurOwn(parts, path, endings.length === 0 ? 'folder' : 'file')
    const { labels, revision } = await masks.use(caseId, (mask) => ({
      labels: mask.labels.slice(),
      revision: mask.revision,
    }))
    const { bytes } = await writeMaskAs(path, chosen, labels, image, {
      names: parts.labels.list(),
      signal: AbortSignal.any([signal, ended]),
    })
    cases.setSaved(caseId, revision)
    const counts = countLabels(labels)
    const voxels = [...counts.values()].reduce((sum, count) => sum + count, 0)
    return { path, bytes, voxels, labels: [...counts.keys()], verified: true }
  })
}

/** A file of the project's own is written anew; a folder gets a new name, since only an empty one is written into. */
async function ownPath(folder: string, stem: string, endings: readonly string[]): Promise<string> {
  const [ending] = endings
  if (ending !== undefined) return join(folder, `${stem}-mask${ending}`)
  for (let n = 1; ; n++) {
    const path = join(folder, `${stem}-masks${n === 1 ? '' : `-${n}`}`)
    if ((await stat(path).catch(() => null)) === null) return path
  }
}

/** A name without ending gets one; another ending is refused, since the file would lie about what it is. */
function withEnding(path: string, endings: readonly string[]): string {
  const name = basename(path)
  const [ending] = endings
  if (ending === undefined || endings.some((known) => name.toLowerCase().endsWith(known))) return path
  if (!/\.[a-z0-9]{1,5}$/i.test(name)) return `${path}${ending}`
  throw new CodedError(
    'bad-request',
    `The mask of this image is saved as ${ending}, so "${name}" must end in ${ending}.`,
  )
}
