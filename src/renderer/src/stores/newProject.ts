import { computed, ref, shallowRef, watch } from 'vue'
import { defineStore } from 'pinia'
import type {
  DataReport,
  FileEntry,
  Recipe,
  RecipeChoice,
  RecipeSettings,
  WireError,
} from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'
import { asWireError } from '../api/errors.ts'
import { useJobsStore } from './jobs.ts'

export const wizardSteps = ['recipe', 'data', 'check', 'settings', 'project'] as const
export type WizardStep = (typeof wizardSteps)[number]
export type Preset = RecipeChoice['preset']

/** `of` names what was looked at: another folder, split or limit needs another look. */
export type CheckState =
  | { readonly state: 'none' | 'stopped' }
  | { readonly state: 'running'; readonly of: string; readonly jobId: string | null }
  | { readonly state: 'done'; readonly of: string; readonly found: DataReport }
  | { readonly state: 'failed'; readonly of: string; readonly error: WireError }

export type CreateState =
  | { readonly state: 'none' | 'stopped' }
  | { readonly state: 'running'; readonly jobId: string | null; readonly folder: FileEntry | null }
  /** Made; waits to be opened where it is not being opened, `error` being why it could not be. */
  | { readonly state: 'made'; readonly folder: FileEntry; readonly opening: boolean; readonly error: WireError | null }
  | { readonly state: 'failed'; readonly error: WireError }

/** A project on its way to be made from a recipe. What was chosen stays when the page is left and come back to. */
export const useNewProjectStore = defineStore('new-project', () => {
  const jobs = useJobsStore()
  const step = ref<WizardStep>('recipe')
  const recipe = shallowRef<Recipe | null>(null)
  const folder = shallowRef<FileEntry | null>(null)
  const limit = ref<number | null>(null)
  const preset = ref<Preset>('best')
  const settings = shallowRef<RecipeSettings | null>(null)
  const name = ref('')
  const parent = shallowRef<FileEntry | null>(null)
  const trainAtOnce = ref(true)
  const check = shallowRef<CheckState>({ state: 'none' })
  const create = shallowRef<CreateState>({ state: 'none' })

  const presetSettings = computed(() => recipe.value?.presets[preset.value] ?? null)
  /** What the backend is asked with; null while recipe or folder are missing. */
  const choice = computed<RecipeChoice | null>(() => {
    if (recipe.value === null || folder.value === null || settings.value === null) return null
    return {
      recipe: recipe.value.name,
      preset: preset.value,
      settings: settings.value,
      limit: limit.value,
      seed: 1,
      folderId: folder.value.id,
    }
  })
  /** What a check depends on. */
  const looked = computed(() => {
    const now = choice.value
    if (now === null) return ''
    const { split, labels, planes } = now.settings
    return JSON.stringify([now.recipe, now.folderId, now.limit, split, labels, planes])
  })
  const found = computed(() => (check.value.state === 'done' ? check.value.found : null))
  const stale = computed(() => check.value.state === 'done' && check.value.of !== looked.value)
  /** Is the project being made or opened? Nothing is chosen until that is over. */
  const making = computed(() => {
    const { value: now } = create
    return now.state === 'running' || (now.state === 'made' && now.opening)
  })
  const checkJob = computed(() => jobOf(check.value.state === 'running' ? check.value.jobId : null))
  const createJob = computed(() => jobOf(create.value.state === 'running' ? create.value.jobId : null))

  function jobOf(id: string | null) {
    return jobs.jobs.find((job) => job.id === id) ?? null
  }

  function chooseRecipe(next: Recipe): void {
    if (next.name === recipe.value?.name) return
    if (name.value === '' || name.value === recipe.value?.title) name.value = next.title
    recipe.value = next
    choosePreset('best')
    forgetCheck()
  }

  function choosePreset(next: Preset): void {
    preset.value = next
    settings.value = presetSettings.value
  }

  function chooseFolder(next: FileEntry | null): void {
    folder.value = next
    forgetCheck()
  }

  function forgetCheck(): void {
    const before = check.value
    check.value = { state: 'none' }
    if (before.state === 'running' && before.jobId !== null) void stop(before.jobId)
  }

  /** Starts the check of what is chosen, unless that was looked at already. */
  async function look(again = false): Promise<void> {
    const now = choice.value
    const of = looked.value
    if (now === null || check.value.state === 'running') return
    if (!again && check.value.state === 'done' && check.value.of === of) return
    const mine: CheckState = { state: 'running', of, jobId: null }
    check.value = mine
    try {
      const job = jobs.started(await useClient().call('recipes.check', now))
      // Another folder was chosen meanwhile.
      if (check.value !== mine) await stop(job.id)
      else {
        check.value = { state: 'running', of, jobId: job.id }
        await checkEnded()
      }
    } catch (error) {
      if (check.value === mine) check.value = { state: 'failed', of, error: asWireError(error) }
    }
  }

  /** What the job found, as soon as it is over. */
  async function checkEnded(): Promise<void> {
    const now = check.value
    const job = checkJob.value
    if (now.state !== 'running' || job === null) return
    const { of } = now
    if (job.state === 'cancelled') check.value = { state: 'stopped' }
    else if (job.state === 'failed') check.value = { state: 'failed', of, error: jobError(job.error) }
    else if (job.state === 'done') {
      try {
        const report = await useClient().call('recipes.found', { jobId: job.id })
        if (check.value === now) check.value = { state: 'done', of, found: report }
      } catch (error) {
        if (check.value === now) check.value = { state: 'failed', of, error: asWireError(error) }
      }
    }
  }

  /** Makes the project; `made` is called when it is there, with its folder. */
  async function make(): Promise<void> {
    const now = choice.value
    if (now === null || parent.value === null || making.value) return
    create.value = { state: 'running', jobId: null, folder: null }
    try {
      const params = { ...now, parentId: parent.value.id, name: name.value.trim() }
      const made = await useClient().call('recipes.create', params)
      create.value = { state: 'running', jobId: jobs.started(made.job).id, folder: made.folder }
      createEnded()
    } catch (error) {
      create.value = { state: 'failed', error: asWireError(error) }
    }
  }

  function createEnded(): void {
    const now = create.value
    const job = createJob.value
    if (now.state !== 'running' || now.folder === null || job === null) return
    if (job.state === 'cancelled') create.value = { state: 'stopped' }
    else if (job.state === 'failed') create.value = { state: 'failed', error: jobError(job.error) }
    else if (job.state === 'done') create.value = { state: 'made', folder: now.folder, opening: false, error: null }
  }

  /** Has what was made opened by `open`; the interface begins anew where that works. */
  async function openMade(open: (folder: FileEntry) => Promise<void>): Promise<void> {
    const made = create.value
    if (made.state !== 'made' || made.opening) return
    create.value = { ...made, opening: true, error: null }
    let error: WireError | null = null
    try {
      await open(made.folder)
    } catch (thrown) {
      error = asWireError(thrown)
    }
    create.value = { ...made, opening: false, error }
  }

  watch(checkJob, () => void checkEnded())
  watch(createJob, createEnded)
  // Why it was not made was said of what was chosen then.
  watch([name, parent, choice], () => {
    if (create.value.state === 'failed' || create.value.state === 'stopped') create.value = { state: 'none' }
  })

  /** Ends the check or the making that runs. */
  async function stopRunning(): Promise<string | null> {
    const job = checkJob.value ?? createJob.value
    return job === null ? null : jobs.cancel(job.id)
  }

  /** A check that nobody waits for any more. */
  async function stop(jobId: string): Promise<void> {
    try {
      await jobs.cancel(jobId)
    } catch {
      // It is over, or goes on for another window.
    }
  }

  return {
    step,
    recipe,
    folder,
    limit,
    preset,
    settings,
    name,
    parent,
    trainAtOnce,
    check,
    create,
    presetSettings,
    choice,
    found,
    stale,
    making,
    checkJob,
    createJob,
    chooseRecipe,
    choosePreset,
    chooseFolder,
    look,
    make,
    openMade,
    stopRunning,
  }
})

function jobError(error: { code: string; message: string } | null): WireError {
  return { code: 'internal', message: error?.message ?? '' }
}
