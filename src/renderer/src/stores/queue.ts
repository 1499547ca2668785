import { computed, ref, shallowRef } from 'vue'
import { defineStore } from 'pinia'
import type { Job, Queue, QueuedSlice } from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'
import { useJobsStore } from './jobs.ts'
import { useProjectStore } from './project.ts'
import { QueueWalk, type Place } from './queueWalk.ts'
import { useOnTrainingPlane, useShownSlice } from './shown.ts'

const unranked: Queue = { modelId: null, rankedAt: null, slices: [], cases: [] }
/** More than anybody looks at before the next ranking. */
const mostSlices = 200

/** What to look at next: slices that nobody corrected yet, ranked by what the model would learn from them. */
export const useQueueStore = defineStore('queue', () => {
  const project = useProjectStore()
  const jobs = useJobsStore()
  const shown = useShownSlice()
  const onTrainingPlane = useOnTrainingPlane()
  /** The slice that is seen face on; while another plane is looked at, none is. */
  const here = computed(() => (onTrainingPlane.value ? shown.value : null))
  /** That slice is one of the queue. */
  const queued = computed(() => {
    const now = here.value
    return now !== null && slices.value.some((one) => one.caseId === now.caseId && one.index === now.index)
  })
  /** Why ranking by itself ended before it was through. */
  const problem = ref<string | null>(null)
  const queue = shallowRef<Queue>(unranked)
  const walk = new QueueWalk()

  /** Of cases that can be opened. */
  const slices = computed(() => queue.value.slices.filter((one) => reachable(one.caseId)))
  const cases = computed(() => queue.value.cases.filter((one) => reachable(one.caseId)))
  const rankedAt = computed(() => queue.value.rankedAt)
  /** The model that was asked; null where nothing is ranked, or it is gone. */
  const rankedBy = computed(() => project.models.find((model) => model.id === queue.value.modelId) ?? null)
  /** Another model is in use by now: what it is unsure of may be something else. */
  const outdated = computed(() => queue.value.modelId !== null && project.activeModel?.id !== queue.value.modelId)
  const ranking = computed(
    () => jobs.jobs.find((job) => job.kind === 'rank' && (job.state === 'queued' || job.state === 'running')) ?? null,
  )

  function reachable(caseId: string): boolean {
    return project.caseById(caseId)?.missing === false
  }

  function take(next: Queue): void {
    if (next.rankedAt !== queue.value.rankedAt || next.modelId !== queue.value.modelId) walk.restart()
    queue.value = next
  }

  async function load(): Promise<void> {
    take(await useClient().call('queue.get', { limit: mostSlices }))
  }

  /** Follows the backend's events; the answer ends it. */
  function follow(): () => void {
    return useClient().on('queue.changed', take)
  }

  async function rank(): Promise<void> {
    problem.value = null
    await jobs.rank()
  }

  /** One that nobody asked for is no failure of what anybody does: it is told here alone. Answers whether this was one. */
  function endedUnasked(job: Job): boolean {
    if (job.kind !== 'rank') return false
    const unasked = jobs.isUnasked(job)
    if (job.state === 'done') problem.value = null
    if (job.state === 'failed' && unasked) problem.value = job.error?.message ?? null
    return unasked
  }

  /** The best slice that was not seen yet, or the next one on a way that was gone back. */
  function next(): Place | null {
    return walk.next(slices.value, here.value)
  }

  /** Where the way through the queue came from. */
  function previous(): Place | null {
    return walk.previous(here.value)
  }

  function bestOf(caseId: string): QueuedSlice | null {
    return slices.value.find((one) => one.caseId === caseId) ?? null
  }

  return {
    here,
    queued,
    slices,
    cases,
    rankedAt,
    rankedBy,
    outdated,
    ranking,
    problem,
    load,
    follow,
    rank,
    endedUnasked,
    next,
    previous,
    bestOf,
  }
})
