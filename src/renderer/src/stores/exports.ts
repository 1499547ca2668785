import { ref, shallowRef } from 'vue'
import { defineStore } from 'pinia'
import type { CaseSummary, Job, MaskFormat, MethodParams, MethodResult } from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'
import { useJobsStore } from './jobs.ts'
import { useProjectStore } from './project.ts'

export type SavedMask = MethodResult<'export.mask'>
export type DatasetFormat = MethodParams<'export.dataset'>['format']
/** Which cases: nnU-Net keeps volumes, grey and colour pictures apart. */
export type DatasetKind = NonNullable<MethodParams<'export.dataset'>['only']>

/** Masks and data sets written to disk by this page: the last mask of each case, and the last data set. */
export const useExportsStore = defineStore('exports', () => {
  /** The case whose mask is being written. */
  const running = ref<string | null>(null)
  const results = ref<Readonly<Record<string, SavedMask>>>({})
  /** What the last data set holds, and where it is; null while there is none. */
  const dataset = ref<{ readonly masks: string; readonly path: string } | null>(null)
  /** The format that was chosen last for volumes and for pictures; null: the usual one. */
  const chosen = ref<Readonly<Partial<Record<CaseSummary['kind'], MaskFormat>>>>({})
  const project = useProjectStore()
  /** What was known of each case when its file was there: the news that it is saved come after the answer. */
  const knownThen = shallowRef<ReadonlyMap<string, CaseSummary | null>>(new Map())

  /**
   * Answers only when the file was written, reopened and compared. `fileId` null: into the project's exports folder;
   * `format` null: the usual one of the kind.
   */
  async function save(caseId: string, fileId: string | null, format: MaskFormat | null = null): Promise<SavedMask> {
    running.value = caseId
    try {
      const saved = await useClient().call('export.mask', { caseId, fileId, format })
      knownThen.value = new Map(knownThen.value).set(caseId, project.caseById(caseId))
      results.value = { ...results.value, [caseId]: saved }
      return saved
    } finally {
      running.value = null
    }
  }

  function formatFor(kind: CaseSummary['kind']): MaskFormat {
    return chosen.value[kind] ?? (kind === 'volume' ? 'nifti' : 'png')
  }

  function choose(kind: CaseSummary['kind'], format: MaskFormat): void {
    chosen.value = { ...chosen.value, [kind]: format }
  }

  /** Starts writing all cases that have a mask, or `only` those of a kind; `ended` hears how it went. */
  async function saveDataset(format: DatasetFormat, fileId: string | null, only: DatasetKind | null): Promise<Job> {
    dataset.value = null
    return useJobsStore().exportDataset({ format, fileId, ...(only === null ? {} : { only }) })
  }

  /** A job is over: a finished export says what it wrote and where, "2 masks in /home/me/set". */
  function ended(job: Job): void {
    if (job.kind !== 'export' || job.state !== 'done') return
    const [, masks = '', path = job.message] = /^(\S+ masks?) in (.+)$/s.exec(job.message) ?? []
    dataset.value = { masks, path }
  }

  /** Was the mask changed after the last file of the case was written? */
  function isStale(caseId: string): boolean {
    const now = project.caseById(caseId)
    return (now?.status === 'corrected' || now?.status === 'imported') && now !== knownThen.value.get(caseId)
  }

  return { running, results, dataset, save, formatFor, choose, saveDataset, ended, isStale }
})
