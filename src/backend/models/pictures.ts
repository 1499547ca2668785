import { join } from 'node:path'
import type { ComputeSlice, SliceGeometry } from '../../core/contract/compute.ts'
import { CodedError } from '../../core/contract/errors.ts'
import type { Preview } from '../../core/contract/learning.ts'
import type { ModelSummary } from '../../core/contract/schemas.ts'
import type { PlaneView } from '../../core/geometry/index.ts'
import { sliceExtent } from '../../core/labelmap/index.ts'
import { writeAtomically } from '../../imaging/index.ts'
import type { ComputePort } from '../compute/port.ts'
import { refuseOurOwn } from '../export/targets.ts'
import { safeName } from '../files/names.ts'
import { priorities, untilAborted, type Lane } from '../jobs/lane.ts'
import { refuseSlide, type Cases } from '../project/cases.ts'
import type { Labels } from '../project/labels.ts'
import type { Project } from '../project/project.ts'
import { labelsFromCompute, networkLayout, sliceForCompute, sliceGeometry } from '../volume/computeSlices.ts'
import type { Looks } from '../volume/looks.ts'
import type { Volumes } from '../volume/volumes.ts'
import type { Models } from './models.ts'

export interface PictureParts {
  readonly project: Project
  readonly cases: Cases
  readonly labels: Labels
  readonly models: Models
  readonly volumes: Volumes
  readonly looks: Looks
  readonly lane: Lane
  readonly compute: ComputePort
}

/** What a version predicts of a slice; nothing is kept. Throws CodedError: `not-found`, `bad-request`, `file-missing`, `cancelled`. */
export async function previewOf(
  parts: PictureParts,
  modelId: string,
  caseId: string,
  index: number,
  signal: AbortSignal,
): Promise<Preview> {
  const { dir } = parts.models.record(modelId)
  const { slice, layout } = await readSlice(parts, caseId, index, signal)
  const { dims, trainingAxis: axis } = parts.cases.get(caseId)
  const [width, height] = sliceExtent(dims, axis)
  const data = labelsFromCompute(await predict(parts, dir, slice, signal), layout)
  return { modelId, axis, index, width, height, data }
}

/**
 * What each version that still has its weights predicts of a slice, one after the other, as an animated GIF; `target` null: a name of
 * its own in the project's exports/. Throws CodedError: `no-model` where there is none, and as `previewOf` and the disk do.
 */
export async function saveAnimation(
  parts: PictureParts,
  { caseId, index, target }: { caseId: string; index: number; target: string | null },
  signal: AbortSignal,
): Promise<{ path: string; bytes: number; frames: number }> {
  const { models, labels, cases, project, compute, lane } = parts
  const { stem } = cases.get(caseId)
  const wanted = target ?? join(project.folders.exports, safeName(`${stem}-slice-${index + 1}-versions.gif`))
  const path = /\.gif$/i.test(wanted) ? wanted : `${wanted}.gif`
  await refuseOurOwn(parts, path, 'file')
  const { slice, geometry } = await readSlice(parts, caseId, index, signal)
  const frames: { labels: Uint8Array<ArrayBuffer>; words: string }[] = []
  const whole = models.list().filter(({ pruned }) => !pruned)
  const ids = whole.map(({ id }) => id)
  await models.hold(ids, async () => {
    for (const model of whole) {
      const found = await predict(parts, models.dirOf(model.version), slice, signal)
      frames.push({ labels: found, words: frameWords(model) })
    }
  })
  if (frames.length === 0) {
    throw new CodedError(
      'no-model',
      'This project has no model yet; correct a few slices by brush, then press Retrain.',
    )
  }
  const colors = labels.list().map(({ value: label, color }) => ({ label, color }))
  const { gif } = await lane.run(priorities.visibleSlice, signal, () =>
    compute.call('animate', { slice, geometry, frames, colors }, { signal }),
  )
  return { path, bytes: await writeAtomically(path, [gif]), frames: frames.length }
}

function frameWords({ version, judged, active }: ModelSummary): string {
  const dice = judged?.diceAfter ?? null
  const words = [`version ${version}`]
  if (dice !== null) words.push(`hold-out Dice ${dice.toFixed(3)}`)
  if (active) words.push('in use')
  return words.join(' · ')
}

async function readSlice(
  { cases, volumes, looks }: PictureParts,
  caseId: string,
  index: number,
  signal: AbortSignal,
): Promise<{ slice: ComputeSlice; layout: PlaneView; geometry: SliceGeometry | null }> {
  const record = cases.get(caseId)
  refuseSlide(record)
  if (index >= record.dims[record.trainingAxis]) throw new CodedError('bad-request', `There is no slice ${index}.`)
  return volumes.use(caseId, async (volume, ended) => {
    const layout = networkLayout(volume.dims, volume.affine, volume.spacing)
    const either = AbortSignal.any([signal, ended])
    const range = await untilAborted(looks.range(caseId), either)
    const slice = await sliceForCompute(volume, layout, index, range, either)
    return { slice, layout, geometry: sliceGeometry(volume, layout) }
  })
}

/** As the network sees the slice. Labels that are no longer used become background. */
async function predict(
  { lane, compute, labels }: PictureParts,
  modelDir: string,
  slice: ComputeSlice,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const { slices } = await lane.run(priorities.visibleSlice, signal, () =>
    compute.call('predict', { modelDir, slices: [slice] }, { signal }),
  )
  const [first] = slices
  if (first === undefined) throw new CodedError('compute-failed', 'Nothing was predicted; try again.')
  return Uint8Array.from(first.labels, (value) => (labels.isCurrent(value) ? value : 0))
}
