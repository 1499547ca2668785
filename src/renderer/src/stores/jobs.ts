import { computed, ref } from 'vue'
import { defineStore } from 'pinia'
import type { Job, MethodParams } from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'
import { asWireError } from '../api/errors.ts'

/** One click on Retrain ends after these steps or the chosen seconds, whichever comes first. */
const trainingSteps = 2000
const trainingSeed = 1

/** A slice on screen: where long work starts, so that its result is seen first. */
export interface ShownSlice {
  readonly caseId: string
  /** Index across the case's training axis. */
  readonly index: number
}

/** Long work: prediction, retraining and writing data sets, with progress and cancel. */
export const useJobsStore = defineStore('jobs', () => {
  const jobs = ref<Job[]>([])
  /** The last training that this page saw end or run: its curve stays on screen. */
  const lastTraining = ref<Job | null>(null)
  /** The last training found nothing to learn, or nothing better, and nothing was drawn or approved since: the same again is no next step. */
  const inVain = ref(false)
  /** Jobs whose end was asked for here and neither came yet nor was refused. */
  const asked = ref<ReadonlySet<string>>(new Set())

  /** Rankings and trainings that were asked for here; the others began by themselves, or elsewhere, or before a reload. */
  const own = ref<ReadonlySet<string>>(new Set())

  /** The job to show in the status bar: what runs, before what waits, and both before a ranking. */
  const active = computed(() => {
    const alive = jobs.value.filter(isAlive)
    const first = (list: Job[]): Job | undefined => list.find((job) => job.state === 'running') ?? list[0]
    return first(alive.filter((job) => job.kind !== 'rank')) ?? first(alive) ?? null
  })
  const predicting = computed(() => jobs.value.find((job) => job.kind === 'predict' && isAlive(job)) ?? null)
  const training = computed(() => jobs.value.find((job) => job.kind === 'train' && isAlive(job)) ?? null)

  /** Something runs or waits that one has to wait for. Ranking, which begins by itself, makes room for whatever else there is. */
  const busy = computed(() => jobs.value.some((job) => job.kind !== 'rank' && isAlive(job)))
  /** Something runs or waits that somebody wants the end of: the project cannot be left. */
  const wanted = computed(() => jobs.value.some((job) => isAlive(job) && !isUnasked(job)))
  /** Trainings that run or wait. */
  const trainings = computed(() => jobs.value.filter((job) => job.kind === 'train' && isAlive(job)).length)

  /** The model of the last training, where that was asked for here: its result is what somebody waits for. */
  const awaitedModel = computed(() => {
    const last = lastTraining.value
    return last !== null && own.value.has(last.id) ? last.modelId : null
  })

  const cancelling = computed(() => active.value !== null && asked.value.has(active.value.id))

  function replaceAll(list: Job[]): void {
    jobs.value = list
    const newest = list.filter((job) => job.kind === 'train' && isAlive(job)).at(-1)
    if (newest !== undefined) lastTraining.value = newest
  }

  function put(job: Job): void {
    jobs.value = jobs.value.some((one) => one.id === job.id)
      ? jobs.value.map((one) => (one.id === job.id ? job : one))
      : [...jobs.value, job]
    if (job.kind === 'train' && (isAlive(job) || lastTraining.value?.id === job.id)) lastTraining.value = job
  }

  /** Follows the backend's events; `ended` hears of each job once, when it is over. */
  function follow(ended: (job: Job) => void): () => void {
    const client = useClient()
    const hopeAgain = () => (inVain.value = false)
    const stops = [
      client.on('job.changed', ({ job }) => {
        const before = jobs.value.find((one) => one.id === job.id)
        put(job)
        if (isAlive(job) || (before !== undefined && !isAlive(before))) return
        if (job.kind === 'train') inVain.value = job.error?.code === 'nothing-learned'
        ended(job)
      }),
      client.on('annotation.applied', hopeAgain),
      client.on('case.slices', hopeAgain),
      client.on('models.changed', hopeAgain),
    ]
    return () => {
      for (const stop of stops) stop()
    }
  }

  async function predict(slice: ShownSlice): Promise<Job> {
    return started(await useClient().call('predict.start', { caseId: slice.caseId, index: slice.index }))
  }

  async function train(seconds: number, show: ShownSlice | null): Promise<Job> {
    return ours(await useClient().call('train.start', { steps: trainingSteps, seconds, seed: trainingSeed, show }))
  }

  async function rank(): Promise<Job> {
    return ours(await useClient().call('queue.rank', {}))
  }

  function ours(job: Job): Job {
    own.value = new Set([...own.value, job.id])
    return started(job)
  }

  /** Nobody asked for it here. */
  function isUnasked(job: Job): boolean {
    return job.kind === 'rank' && !own.value.has(job.id)
  }

  async function exportDataset(params: Omit<MethodParams<'export.dataset'>, 'caseIds'>): Promise<Job> {
    return started(await useClient().call('export.dataset', { ...params, caseIds: null }))
  }

  /** Returns why the job goes on all the same, a sentence, where another window asked for it or waits for it too. */
  async function cancel(jobId: string): Promise<string | null> {
    asked.value = new Set([...asked.value, jobId])
    let ends = false
    try {
      const { notice = null, ...job } = await useClient().call('job.cancel', { jobId })
      ends = notice === null
      started(job)
      return notice
    } catch (thrown) {
      const error = asWireError(thrown)
      // It is another window's: an answer, not a failure.
      if (error.code === 'busy') return error.message
      throw thrown
    } finally {
      if (!ends) asked.value = new Set([...asked.value].filter((id) => id !== jobId))
    }
  }

  /** The answer to a call may come after an event that knows more. */
  function started(job: Job): Job {
    const known = jobs.value.find((one) => one.id === job.id)
    if (known !== undefined && stage(known) > stage(job)) return known
    put(job)
    return job
  }

  return {
    jobs,
    lastTraining,
    inVain,
    active,
    predicting,
    training,
    trainings,
    busy,
    wanted,
    awaitedModel,
    cancelling,
    replaceAll,
    follow,
    predict,
    train,
    rank,
    isUnasked,
    exportDataset,
    started,
    cancel,
  }
})

function isAlive(job: Job): boolean {
  return job.state === 'queued' || job.state === 'running'
}

/** How far a job has come, to tell what is older. */
function stage(job: Job): number {
  if (!isAlive(job)) return 3
  if (job.state === 'queued') return 0
  return 1 + job.progress
}
