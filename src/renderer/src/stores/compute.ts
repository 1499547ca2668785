import { ref, watch } from 'vue'
import { defineStore } from 'pinia'
import type { ComputeSettings, DoctorReport, MethodResult, WireError } from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'
import { asWireError } from '../api/errors.ts'
import { useJobsStore } from './jobs.ts'

/** The ways in which this computer can compute, which of them is used, and the user's choice among them. */
export const useComputeStore = defineStore('compute', () => {
  const jobs = useJobsStore()
  const report = ref<DoctorReport | null>(null)
  /** What is kept for this computer, and where the environment goes before it. */
  const settings = ref<MethodResult<'compute.settings'> | null>(null)
  /** Why the report or the change that was asked for last did not come about. */
  const problem = ref<string | null>(null)
  /** It is the job under way that stands in the way: the problem ends with it. */
  let endsWithJob = false
  const checking = ref(false)
  const switching = ref(false)

  /** Reads the report; `fresh` tries every rung again, which takes a while. */
  async function check(fresh: boolean): Promise<void> {
    if (checking.value || switching.value) return
    checking.value = true
    try {
      const client = useClient()
      const [told, kept] = await Promise.all([
        client.call('app.doctor', { fresh }),
        client.call('compute.settings', {}),
      ])
      report.value = told
      settings.value = kept
      problem.value = null
    } catch (error) {
      refused(asWireError(error))
    } finally {
      checking.value = false
    }
  }

  /** Keeps a choice for this computer and reads what came of it. What was in use stays when it cannot be used. */
  async function configure(change: Partial<ComputeSettings>): Promise<void> {
    const kept = settings.value
    if (kept === null || checking.value || switching.value) return
    switching.value = true
    let refusal: WireError | null = null
    let working = false
    try {
      await useClient().call('compute.configure', {
        backend: kept.backend,
        threads: kept.threads,
        ...change,
      })
    } catch (error) {
      refusal = asWireError(error)
      working = jobs.active !== null
    } finally {
      switching.value = false
    }
    await check(false)
    if (refusal === null) return
    const over = refusal.code === 'busy' && working && jobs.active === null
    if (!over) refused(refusal)
  }

  function refused(error: WireError): void {
    problem.value = error.message
    endsWithJob = error.code === 'busy'
  }

  watch(
    () => jobs.active === null,
    (idle) => {
      if (idle && endsWithJob) problem.value = null
    },
    { flush: 'sync' },
  )

  return { report, settings, problem, checking, switching, check, configure }
})
