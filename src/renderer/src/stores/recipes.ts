import { computed, ref, shallowRef } from 'vue'
import { defineStore } from 'pinia'
import type {
  EventPayload,
  FileEntry,
  Job,
  MethodParams,
  ProjectRecipe,
  Recipe,
  RecipeChoice,
  RecipeSettings,
  RecipeTraining,
} from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'
import { isCancelled } from '../api/errors.ts'
import { useJobsStore } from './jobs.ts'

export type Picture = NonNullable<RecipeTraining['pictures']>['list'][number]

/** Pictures of earlier epochs are kept while the page lives, the oldest given up beyond this. */
const pictureBytes = 48 * 2 ** 20

/** The recipes there are, what the open project was made from, and the training by it that runs or ran last. */
export const useRecipesStore = defineStore('recipes', () => {
  const jobs = useJobsStore()
  const list = shallowRef<readonly Recipe[] | null>(null)
  const project = shallowRef<ProjectRecipe | null>(null)
  const training = shallowRef<RecipeTraining | null>(null)
  /** Was the state of this project read? */
  const known = ref(false)
  /** What was predicted for a few pictures after each epoch, as far as this page saw it. */
  const pictures = shallowRef<ReadonlyMap<number, readonly Picture[]>>(new Map())
  /** What was changed of the settings for the next training. */
  const edited = shallowRef<{ preset: RecipeChoice['preset']; settings: RecipeSettings } | null>(null)
  /** Where the data lies now, where it is no longer where it was. */
  const located = shallowRef<FileEntry | null>(null)
  let reading = 0

  /** What the next training is asked with: as the last one, else as the project was made, with what was changed. */
  const wanted = computed<RecipeChoice | null>(() => {
    const base = training.value?.choice ?? project.value
    if (base === null) return null
    const { recipe: name, limit, seed } = base
    const { preset, settings } = edited.value ?? base
    return { recipe: name, preset, settings, limit, seed, folderId: located.value?.id ?? null }
  })
  const recipe = computed(() => recipeNamed(training.value?.choice.recipe ?? project.value?.recipe ?? null))
  const running = computed(() => training.value?.state === 'running' || training.value?.state === 'queued')

  function recipeNamed(name: string | null): Recipe | null {
    return list.value?.find((one) => one.name === name) ?? null
  }

  /** The recipes do not change while the workstation runs: they are read once. */
  async function loadList(): Promise<readonly Recipe[]> {
    list.value ??= await useClient().call('recipes.list', {})
    return list.value
  }

  /** Reads how the project stands to recipes; the newest question wins. */
  async function load(): Promise<void> {
    const turn = ++reading
    await loadList()
    // Asked for last and taken at once: an event that comes after the answer must not be overwritten by it.
    const state = await useClient().call('recipes.state', {})
    if (turn !== reading) return
    if (state.training?.id !== training.value?.id) pictures.value = new Map()
    project.value = state.project
    training.value = state.training
    known.value = true
    if (state.training?.pictures) keep(state.training.pictures.epoch, state.training.pictures.list)
  }

  /** Follows the backend's events; the answer ends it. `failed` hears why the state could not be read. */
  function follow(failed: (error: unknown) => void): () => void {
    const client = useClient()
    const again = () =>
      void load().catch((error: unknown) => {
        if (!isCancelled(error)) failed(error)
      })
    const stops = [client.on('recipe.event', take), client.on('recipe.changed', again)]
    return () => stops.forEach((stop) => stop())
  }

  function take({ trainingId, event }: EventPayload<'recipe.event'>): void {
    const now = training.value
    // Of a training that is not known here yet `recipe.changed` tells, and its state is read as a whole.
    if (now?.id !== trainingId) return
    if (event.event === 'start') {
      const { event: _, ...start } = event
      // What comes after the epoch that it goes on from is done again, and so is scoring.
      const epochs = now.epochs.filter(({ epoch }) => epoch < start.from)
      training.value = { ...now, state: 'running', start, epochs, scoring: null, metrics: null, error: null }
    } else if (event.event === 'epoch') {
      const { event: _, pictures: shown, ...epoch } = event
      const before = now.epochs.filter((one) => one.epoch < epoch.epoch)
      if (shown !== undefined && shown.length > 0) keep(epoch.epoch, shown)
      training.value = {
        ...now,
        state: 'running',
        epochs: [...before, epoch],
        pictures: shown === undefined || shown.length === 0 ? now.pictures : { epoch: epoch.epoch, list: shown },
      }
    } else if (event.event === 'scoring') {
      training.value = { ...now, state: 'running', scoring: { done: event.done, of: event.of } }
    } else training.value = { ...now, metrics: event.metrics }
  }

  function keep(epoch: number, shown: readonly Picture[]): void {
    const next = new Map(pictures.value).set(epoch, shown)
    let bytes = [...next.values()].flat().reduce((sum, { png }) => sum + png.length, 0)
    for (const [oldest, old] of [...next].sort(([a], [b]) => a - b)) {
      if (bytes <= pictureBytes || oldest === epoch) break
      bytes -= old.reduce((sum, { png }) => sum + png.length, 0)
      next.delete(oldest)
    }
    pictures.value = next
  }

  function choosePreset(preset: RecipeChoice['preset']): void {
    const settings = recipe.value?.presets[preset]
    if (settings !== undefined) edited.value = { preset, settings }
  }

  function edit(settings: RecipeSettings): void {
    if (wanted.value !== null) edited.value = { preset: wanted.value.preset, settings }
  }

  async function train(params: MethodParams<'recipes.train'>): Promise<Job> {
    return begun(await useClient().call('recipes.train', params))
  }

  async function resume(): Promise<Job> {
    return begun(await useClient().call('recipes.resume', { folderId: located.value?.id ?? null }))
  }

  /** The state comes by an event as well; it is read here, so that the page does not show the old one until then. */
  async function begun(job: Job): Promise<Job> {
    jobs.started(job)
    await load()
    return job
  }

  async function discard(): Promise<void> {
    await useClient().call('recipes.discard', {})
    await load()
  }

  return {
    list,
    project,
    training,
    known,
    pictures,
    edited,
    located,
    wanted,
    recipe,
    running,
    recipeNamed,
    loadList,
    load,
    follow,
    choosePreset,
    edit,
    train,
    resume,
    discard,
  }
})
