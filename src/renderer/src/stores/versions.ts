import { computed, ref, shallowRef } from 'vue'
import { defineStore } from 'pinia'
import type {
  Judgement,
  MethodParams,
  MethodResult,
  ModelDetail,
  ModelSummary,
  TimelinePoint,
  WireError,
} from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'
import { asWireError, isCancelled } from '../api/errors.ts'
import { modelWords } from '../i18n/models.ts'
import { useJobsStore } from './jobs.ts'
import { useProjectStore } from './project.ts'
import { useUiStore } from './ui.ts'

export const modelTabs = ['versions', 'curves', 'compare', 'holdout'] as const
export type ModelTab = (typeof modelTabs)[number]
/** What was written last, and where it lies. */
type SavedFile = MethodResult<'models.export'> & {
  readonly kind: 'version' | 'csv' | 'svg' | 'gif'
  readonly frames?: number
}

/** Versions of the model beside their summaries: what they were judged by, one of them in full, and their curves. */
export const useVersionsStore = defineStore('versions', () => {
  const project = useProjectStore()
  const tab = ref<ModelTab>('versions')
  const chosenId = ref<string | null>(null)
  const detail = shallowRef<ModelDetail | null>(null)
  const detailError = shallowRef<WireError | null>(null)
  const judgements = shallowRef<ReadonlyMap<string, Judgement>>(new Map())
  const timeline = shallowRef<readonly TimelinePoint[] | null>(null)
  const saved = shallowRef<SavedFile | null>(null)
  /** What is being written. */
  const saving = ref<SavedFile['kind'] | null>(null)
  /** The version that is to be used although it was kept aside: why is being asked. */
  const overriding = ref<string | null>(null)
  /** Reasons that were typed and not given yet, by version. */
  const reasons = new Map<string, string>()
  /** Texts that were typed and could not be kept, by field and version. */
  const drafts = new Map<string, string>()
  let reading = 0
  let charting = 0

  const newestFirst = computed(() => [...project.models].sort((a, b) => b.version - a.version))
  /** The version that is looked at: what was chosen, else the one in use. */
  const chosen = computed(() => byId(chosenId.value) ?? project.activeModel ?? newestFirst.value[0] ?? null)
  const bytes = computed(() => project.models.reduce((sum, one) => sum + one.bytes, 0))
  /** The newest one, where it was judged to be no better than the one in use. */
  const keptAside = computed(() => {
    const newest = newestFirst.value[0]
    return newest?.active === false && newest.judged?.verdict === 'aside' ? newest : null
  })
  /** Where one click goes back to: what the version in use goes on from, else the one before it that was in use. */
  const previous = computed<ModelSummary | null>(() => {
    const { activeModel } = project
    for (let at = byId(activeModel?.parentId ?? null); at !== null; at = byId(at.parentId)) if (!at.pruned) return at
    // A version of a file is not used before it is chosen, as one from elsewhere that was made a model here is.
    const added = (one: ModelSummary): boolean => one.mode === 'imported' && !one.imported && one.judged === null
    const usable = (one: ModelSummary): boolean =>
      !one.pruned && one.judged?.verdict !== 'aside' && one.judged?.verdict !== 'waiting' && !added(one)
    return newestFirst.value.find((one) => one.version < (activeModel?.version ?? 0) && usable(one)) ?? null
  })

  function byId(id: string | null): ModelSummary | null {
    return project.models.find((one) => one.id === id) ?? null
  }

  /** Follows the backend's events, and reads what is known afresh after some were missed; the answer ends it. */
  function follow(): () => void {
    const client = useClient()
    const stops = [
      client.on('model.judged', keep),
      client.onResync(() => {
        for (const modelId of judgements.value.keys()) {
          readJudgement(modelId).catch((error: unknown) => useUiStore().report(error, modelWords.doing.judge))
        }
      }),
    ]
    return () => stops.forEach((stop) => stop())
  }

  function keep(judgement: Judgement): void {
    judgements.value = new Map(judgements.value).set(judgement.modelId, judgement)
  }

  /** Reads what a version was judged by, where its summary says that it was and it is not known here as it stands. */
  async function wantJudgement(model: ModelSummary): Promise<void> {
    const known = judgements.value.get(model.id)
    if (model.judged === null || (known?.verdict === model.judged.verdict && known.reason === model.judged.reason))
      return
    await readJudgement(model.id)
  }

  async function readJudgement(modelId: string): Promise<void> {
    const { judgement } = await useClient().call('models.judgement', { modelId })
    if (judgement !== null) keep(judgement)
  }

  /** Reads the version that is looked at in full. The one that was shown stays until the other is there. */
  async function loadDetail(): Promise<void> {
    const turn = ++reading
    const wanted = chosen.value
    if (wanted === null) {
      detail.value = null
      return
    }
    try {
      const read = await useClient().call('models.detail', { modelId: wanted.id })
      if (turn !== reading) return
      detail.value = read
      detailError.value = null
    } catch (thrown) {
      if (turn !== reading || isCancelled(thrown)) return
      // What is being typed of the same version stays.
      if (detail.value?.summary.id !== wanted.id) detail.value = null
      detailError.value = asWireError(thrown)
    }
  }

  function choose(modelId: string): void {
    chosenId.value = modelId
    saved.value = null
  }

  async function loadTimeline(): Promise<void> {
    const turn = ++charting
    const { points } = await useClient().call('models.timeline', {})
    if (turn === charting) timeline.value = points
  }

  async function describe(change: MethodParams<'models.describe'>): Promise<void> {
    replace(await useClient().call('models.describe', change))
  }

  /** Answers how many bytes are free again. */
  async function prune(modelIds: string[]): Promise<number> {
    const { freedBytes, models } = await useClient().call('models.prune', { modelIds })
    project.models = models
    return freedBytes
  }

  async function judge(modelId: string): Promise<void> {
    useJobsStore().started(await useClient().call('models.judge', { modelId }))
  }

  async function importVersion(fileId: string): Promise<ModelSummary> {
    const added = await useClient().call('models.importVersion', { fileId })
    if (byId(added.id) === null) project.models = [...project.models, added]
    choose(added.id)
    return added
  }

  /** Writes one thing at a time; `fileId` null: into the project's exports folder. */
  async function write(kind: SavedFile['kind'], work: () => Promise<Omit<SavedFile, 'kind'>>): Promise<void> {
    if (saving.value !== null) return
    saving.value = kind
    saved.value = null
    try {
      saved.value = { ...(await work()), kind }
    } finally {
      saving.value = null
    }
  }

  async function exportVersion(modelId: string, fileId: string | null): Promise<void> {
    await write('version', () => useClient().call('models.export', { modelId, fileId }))
  }

  async function saveCurves(format: 'csv' | 'svg', fileId: string | null): Promise<void> {
    await write(format, () => useClient().call('models.saveTimeline', { format, fileId }))
  }

  async function saveAnimation(caseId: string, index: number, fileId: string | null): Promise<void> {
    await write('gif', () => useClient().call('models.animation', { caseId, index, fileId }))
  }

  function replace(model: ModelSummary): void {
    project.models = project.models.map((one) => (one.id === model.id ? model : one))
    if (detail.value?.summary.id === model.id) detail.value = { ...detail.value, summary: model }
  }

  return {
    tab,
    chosenId,
    chosen,
    detail,
    detailError,
    judgements,
    timeline,
    saved,
    saving,
    overriding,
    reasons,
    drafts,
    newestFirst,
    bytes,
    keptAside,
    previous,
    byId,
    follow,
    wantJudgement,
    loadDetail,
    choose,
    loadTimeline,
    describe,
    prune,
    judge,
    importVersion,
    exportVersion,
    saveCurves,
    saveAnimation,
  }
})
