import { computed, ref } from 'vue'
import { defineStore } from 'pinia'
import type {
  CaseSummary,
  ComputeStatus,
  ImageSelection,
  Label,
  MethodResult,
  ModelSummary,
  Project,
  TileRegion,
} from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'
import { useJobsStore } from './jobs.ts'

type AppInfo = MethodResult<'app.info'>
type ProjectHead = Pick<Project, 'id' | 'name' | 'path' | 'isDemo' | 'lastCaseId' | 'coverage'>

/** The open project: cases, labels, models, and the compute process that serves it. */
export const useProjectStore = defineStore('project', () => {
  const info = ref<AppInfo | null>(null)
  const project = ref<ProjectHead | null>(null)
  const cases = ref<CaseSummary[]>([])
  const labels = ref<Label[]>([])
  const models = ref<ModelSummary[]>([])
  const compute = ref<ComputeStatus | null>(null)
  /** The case that this page took off the worklist last. */
  const leaving = ref<string | null>(null)

  const activeModel = computed(() => models.value.find((model) => model.active) ?? null)
  /** What Retrain goes on from; null: it begins a model of this project's own. */
  const learningModel = computed(() => (activeModel.value?.imported === true ? null : activeModel.value))
  const nativeDialogs = computed(() => info.value?.nativeDialogs ?? false)
  /** What one click on Retrain would newly learn, over all cases. */
  const newCorrectedSlices = computed(() => cases.value.reduce((sum, one) => sum + one.newCorrectedSlices, 0))
  /** Corrected or approved, over all cases that may teach. */
  const doneSlices = computed(() =>
    cases.value.reduce((sum, one) => (one.heldOut ? sum : sum + one.correctedSlices + one.approvedSlices), 0),
  )

  async function load(): Promise<void> {
    const client = useClient()
    const [appInfo, found] = await Promise.all([client.call('app.info', {}), client.call('project.get', {})])
    info.value = appInfo
    compute.value = appInfo.compute
    project.value = {
      id: found.id,
      name: found.name,
      path: found.path,
      isDemo: found.isDemo,
      lastCaseId: found.lastCaseId,
      coverage: found.coverage,
    }
    cases.value = found.cases
    labels.value = found.labels
    models.value = found.models
    useJobsStore().replaceAll(found.jobs)
  }

  /** Follows the backend's events; the answer ends it. */
  function follow(): () => void {
    const client = useClient()
    const stops = [
      client.on('project.changed', (event) => (cases.value = event.cases)),
      client.on('labels.changed', (event) => (labels.value = event.labels)),
      client.on('models.changed', (event) => (models.value = event.models)),
      client.on('compute.status', (status) => (compute.value = status)),
    ]
    return () => stops.forEach((stop) => stop())
  }

  function caseById(id: string): CaseSummary | null {
    return cases.value.find((one) => one.id === id) ?? null
  }

  function labelByValue(value: number): Label | null {
    return labels.value.find((label) => label.value === value) ?? null
  }

  /** False for a model that came with the project or from a file: what it went through before is not this project's story. */
  function trainedHere(model: ModelSummary): boolean {
    if (model.mode === 'imported') return false
    return model.training !== null && (model.version > 1 || project.value?.isDemo !== true)
  }

  /** Adds an image of a file that the backend has seen. The same image twice is one case. */
  async function addCase(
    fileId: string,
    selection: ImageSelection = {},
    options: { signal?: AbortSignal } = {},
  ): Promise<CaseSummary> {
    const added = await useClient().call('case.add', { fileId, selection }, options)
    cases.value = withCase(cases.value, added)
    return added
  }

  /** Makes a rectangle of a slide a case of its own. */
  async function addRegion(caseId: string, region: TileRegion): Promise<CaseSummary> {
    const added = await useClient().call('slide.addRegion', { caseId, region })
    cases.value = withCase(cases.value, added)
    return added
  }

  async function removeCase(caseId: string): Promise<void> {
    leaving.value = caseId
    await useClient().call('case.remove', { caseId })
    cases.value = cases.value.filter((one) => one.id !== caseId)
  }

  async function relocateCase(caseId: string, fileId: string): Promise<CaseSummary> {
    const found = await useClient().call('case.relocate', { caseId, fileId })
    cases.value = withCase(cases.value, found)
    return found
  }

  async function addLabel(name: string): Promise<Label> {
    const added = await useClient().call('labels.add', { name, color: null })
    labels.value = withLabel(labels.value, added)
    return added
  }

  /** Shown at once, and taken back when the backend refuses. */
  async function updateLabel(value: number, change: Partial<Omit<Label, 'value'>>): Promise<void> {
    const before = labels.value
    labels.value = before.map((label) => (label.value === value ? { ...label, ...change } : label))
    try {
      labels.value = withLabel(labels.value, await useClient().call('labels.update', { value, change }))
    } catch (error) {
      labels.value = before
      throw error
    }
  }

  async function labelUsage(value: number): Promise<MethodResult<'labels.usage'>> {
    return useClient().call('labels.usage', { value })
  }

  async function removeLabel(value: number): Promise<void> {
    await useClient().call('labels.remove', { value })
    labels.value = labels.value.filter((label) => label.value !== value)
  }

  /** `reason`: why one is used that was kept aside. Throws `conflict` where one is needed. */
  async function activateModel(modelId: string, reason: string | null = null): Promise<void> {
    const active = await useClient().call('models.activate', reason === null ? { modelId } : { modelId, reason })
    models.value = models.value.map((model) => (model.id === active.id ? active : { ...model, active: false }))
  }

  return {
    info,
    project,
    cases,
    labels,
    models,
    compute,
    leaving,
    activeModel,
    learningModel,
    nativeDialogs,
    newCorrectedSlices,
    doneSlices,
    load,
    follow,
    caseById,
    labelByValue,
    trainedHere,
    addCase,
    addRegion,
    removeCase,
    relocateCase,
    addLabel,
    updateLabel,
    labelUsage,
    removeLabel,
    activateModel,
  }
})

/** The list with that case in it: in its old place, else at the end. */
function withCase(cases: CaseSummary[], one: CaseSummary): CaseSummary[] {
  return cases.some((known) => known.id === one.id)
    ? cases.map((known) => (known.id === one.id ? one : known))
    : [...cases, one]
}

function withLabel(labels: Label[], one: Label): Label[] {
  return labels.some((known) => known.value === one.value)
    ? labels.map((known) => (known.value === one.value ? one : known))
    : [...labels, one].sort((a, b) => a.value - b.value)
}
