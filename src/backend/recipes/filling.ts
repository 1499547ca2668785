import type { ComputeResult, ComputePort } from '../compute/port.ts'
import type { RecipeOrder } from '../../core/contract/compute.ts'
import { CodedError } from '../../core/contract/errors.ts'
import { importTruth } from '../annotation/importMask.ts'
import { lendCompute } from '../compute/lent.ts'
import type { RunningJob } from '../jobs/jobs.ts'
import { priorities, type Lane } from '../jobs/lane.ts'
import type { Project } from '../project/project.ts'
import { closeServices, createServices, type Services } from '../services.ts'
import { progressOf } from './checks.ts'
import { keepChoice } from './choices.ts'

export interface FillContext {
  readonly compute: ComputePort
  readonly lane: Lane
  readonly job: RunningJob
  readonly log: (line: string) => void
}

type Listed = ComputeResult<'listCases'>

/** Share of the progress that looking through the data is. */
const LOOKING = 0.4

/**
 * Fills a new project with the cases of a recipe: their images where they lie, their truth as masks, the recipe's labels. Those
 * that it holds out become the hold-out of the project; a volume of which it holds out some slices alone is learned from, so none. Throws what compute says of the data,
 * `cancelled`, and what the disk says.
 */
export async function fillProject(project: Project, order: RecipeOrder, context: FillContext): Promise<void> {
  const { compute, lane, job, log } = context
  const { signal } = job
  const services = createServices({ project, compute: lendCompute(compute), log })
  try {
    const listed = await lane.run(priorities.volume, signal, () =>
      compute.call('listCases', order, { signal, onProgress: progressOf(job, LOOKING) }),
    )
    const { labels, settings } = services
    project.db.transaction(() => {
      for (const { value, name } of listed.labels) labels.adopt(value, name)
    })
    const { cases } = listed
    const heldOut = new Set<string>()
    const learned = new Set<string>()
    for (const [at, one] of cases.entries()) {
      const progress = LOOKING + (1 - LOOKING) * (at / cases.length)
      job.progress({ progress, message: `adding case ${at + 1} of ${cases.length}` })
      const id = await addCase(services, order, listed, one, context)
      const kept = one.learned ? learned : heldOut
      kept.add(id)
    }
    // Files of the same bytes are one case here.
    services.holdout.set(
      [...heldOut].filter((id) => !learned.has(id)),
      'recipe',
    )
    keepChoice(settings, project, order)
  } finally {
    await closeServices(services)
  }
}

async function addCase(
  services: Services,
  { recipe, settings }: RecipeOrder,
  { labels }: Listed,
  { id, image, masks }: Listed['cases'][number],
  { compute, lane, job }: FillContext,
): Promise<string> {
  const { signal } = job
  if (signal.aborted) throw new CodedError('cancelled', 'This was cancelled.')
  const added = await services.worklist.add(image, { name: id, signal })
  // Two cases of the same bytes are one here; it has its mask.
  if (services.cases.get(added.id).revision > 0) return added.id
  const truth = await lane.run(priorities.volume, signal, () =>
    compute.call('readTruth', { recipe, settings, image, masks }, { signal }),
  )
  if (!truth.dims.every((extent, axis) => extent === added.dims[axis])) {
    throw new CodedError(
      'bad-request',
      `The mask of "${id}" is of another size than the image; take it out of the data.`,
    )
  }
  const names = new Map(labels.map(({ value, name }) => [value, name]))
  await importTruth(services, added.id, truth.labels, names)
  return added.id
}
