import { enableAutoUnmount, flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import type { Pinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CodedError, type DoctorReport } from '../../../../core/contract/index.ts'
import { useJobsStore } from '../../stores/jobs.ts'
import { aDoctorReport, aJob, aProject, projectClient, type FakeClient } from '../../testing/fakeClient.ts'
import { withProject } from '../../testing/setUp.ts'
import DoctorSheet from './DoctorSheet.vue'

enableAutoUnmount(afterEach)

let client: FakeClient
let pinia: Pinia
let report: DoctorReport
let overruled: { backend: string | null; threads: string | null }

beforeEach(async () => {
  report = aDoctorReport()
  overruled = { backend: null, threads: null }
  client = projectClient(aProject(), {
    'app.doctor': () => report,
    'compute.settings': () => ({ ...report.wanted, overruled }),
    'compute.configure': () => ({}),
  })
  pinia = await withProject(client)
})

async function shown(): Promise<VueWrapper> {
  const wrapper = mount<unknown>(DoctorSheet, { global: { plugins: [pinia] }, attachTo: document.body })
  await flushPromises()
  return wrapper
}

const by = (wrapper: VueWrapper, id: string) => wrapper.find(`[data-testid="${id}"]`)
const rung = (wrapper: VueWrapper, name: string) => wrapper.find(`[data-rung="${name}"]`)

describe('the Compute panel', () => {
  it('says for each rung whether it works, on what and how fast, and what to do', async () => {
    const wrapper = await shown()
    expect(client.asked('app.doctor')).toEqual([{ fresh: false }])
    expect(wrapper.findAll('[data-testid="rung"]')).toHaveLength(6)
    const wasm = rung(wrapper, 'wasm').text()
    for (const part of ['in use', 'AMD EPYC', '24 ms a step', 'self-test passed, 180 ms']) expect(wasm).toContain(part)
    const cuda = rung(wrapper, 'cuda').text()
    for (const part of ['not available', 'The TensorFlow library is not here.', 'Install it.']) {
      expect(cuda).toContain(part)
    }
    expect(rung(wrapper, 'cuda').find('button').exists()).toBe(false)
    expect(by(wrapper, 'compute-choice').text()).toMatch(/^Automatic/)
  })

  it('names a rung that fails its self-test', async () => {
    report = aDoctorReport()
    const [, , webgpu] = report.backends
    if (webgpu !== undefined) Object.assign(webgpu, { selfTest: { ok: false, ms: 20 }, reason: 'The loss gave 3.' })
    const row = rung(await shown(), 'webgpu').text()
    expect(row).toContain('fails its self-test')
    expect(row).toContain('The loss gave 3.')
  })

  describe('on a rung with several providers', () => {
    const absent = { available: false, remedy: null, selfTest: null, stepMs: null, device: null }
    const cpu = {
      ...absent,
      available: true,
      reason: 'In use, 2 threads.',
      selfTest: { ok: true, ms: 210 },
      stepMs: 31,
    }
    const webgpu = { ...absent, reason: 'No graphics card was found.', remedy: 'Install its driver.' as string | null }
    const provider = (wrapper: VueWrapper, name: string) => wrapper.find(`[data-provider="${name}"]`)

    function native(change: Partial<typeof webgpu> = {}): void {
      const backends = aDoctorReport().backends.filter(({ name }) => name !== 'native')
      const providers = [
        { ...webgpu, ...change, name: 'webgpu' as const },
        { ...cpu, name: 'cpu' as const },
      ]
      report = aDoctorReport({
        ...{ chosen: 'native', provider: 'cpu' },
        backends: [{ ...cpu, name: 'native', providers }, ...backends],
      })
    }

    it('tells each of them, and its figures once', async () => {
      native()
      const wrapper = await shown()
      const whole = rung(wrapper, 'native').text()
      expect(whole.match(/31 ms a step/g)).toHaveLength(1)
      expect(provider(wrapper, 'cpu').text()).toContain('in use')
      const card = provider(wrapper, 'webgpu').text()
      for (const part of ['not available', 'No graphics card was found.', 'Install its driver.']) {
        expect(card).toContain(part)
      }
      // Where one of them works there is nothing to choose.
      expect(rung(wrapper, 'native').findAll('button')).toHaveLength(0)
    })

    it('uses another one on request', async () => {
      native({ available: true, reason: 'Works, not in use.', remedy: null })
      const wrapper = await shown()
      const button = provider(wrapper, 'webgpu').find('button')
      expect(button.attributes('aria-label')).toBe('Use ONNX Runtime, Graphics card, WebGPU')
      client.answers['compute.configure'] = ({ backend, threads }) => {
        report = { ...report, provider: 'webgpu', wanted: { backend, threads } }
        return {}
      }
      await button.trigger('click')
      await flushPromises()
      expect(client.asked('compute.configure')).toEqual([{ backend: 'native-webgpu', threads: 0 }])
      expect(provider(wrapper, 'webgpu').text()).toContain('in use')
      expect(by(wrapper, 'compute-choice').text()).toContain('chosen by hand')
      expect(provider(wrapper, 'cpu').find('button').exists()).toBe(true)
    })
  })

  it('uses another rung on request and goes back to the automatic choice', async () => {
    const wrapper = await shown()
    client.answers['compute.configure'] = ({ backend, threads }) => {
      report = aDoctorReport({ chosen: 'js', wanted: { backend, threads } })
      return {}
    }
    await rung(wrapper, 'js').find('button').trigger('click')
    await flushPromises()
    expect(client.asked('compute.configure')).toEqual([{ backend: 'js', threads: 0 }])
    expect(rung(wrapper, 'js').text()).toContain('in use')
    expect(by(wrapper, 'compute-choice').text()).toContain('chosen by hand')
    await by(wrapper, 'choose-automatically').trigger('click')
    await flushPromises()
    expect(client.asked('compute.configure').at(-1)).toEqual({ backend: 'auto', threads: 0 })
    expect(by(wrapper, 'choose-automatically').exists()).toBe(false)
  })

  it('says why a choice was refused, and shows what is in use still', async () => {
    const wrapper = await shown()
    client.answers['compute.configure'] = () => {
      throw new CodedError('busy', 'A training is running; wait for it, or cancel it first.')
    }
    await by(wrapper, 'compute-threads').setValue('1')
    await flushPromises()
    expect(client.asked('compute.configure')).toEqual([{ backend: 'auto', threads: 1 }])
    expect(by(wrapper, 'compute-problem').text()).toBe('A training is running; wait for it, or cancel it first.')
    expect(rung(wrapper, 'wasm').text()).toContain('in use')
  })

  describe('after a refusal on account of a job', () => {
    const job = aJob({ kind: 'train' })

    async function refused(meanwhile = (): void => undefined): Promise<VueWrapper> {
      useJobsStore().replaceAll([job])
      const wrapper = await shown()
      client.answers['compute.configure'] = () => {
        throw new CodedError('busy', 'A training is running; wait for it, or cancel it first.')
      }
      client.answers['app.doctor'] = () => {
        meanwhile()
        return report
      }
      await by(wrapper, 'compute-threads').setValue('1')
      await flushPromises()
      return wrapper
    }

    it('says no more of it once no job runs', async () => {
      const wrapper = await refused()
      expect(by(wrapper, 'compute-problem').exists()).toBe(true)
      useJobsStore().replaceAll([{ ...job, state: 'done' }])
      await flushPromises()
      expect(by(wrapper, 'compute-problem').exists()).toBe(false)
    })

    it('says nothing of a job that ended while the report was read', async () => {
      const wrapper = await refused(() => {
        useJobsStore().replaceAll([{ ...job, state: 'done' }])
      })
      expect(by(wrapper, 'compute-problem').exists()).toBe(false)
    })

    it('says no more of it after a check or a choice that came about', async () => {
      const wrapper = await refused()
      await by(wrapper, 'check-again').trigger('click')
      await flushPromises()
      expect(by(wrapper, 'compute-problem').exists()).toBe(false)
      await by(wrapper, 'compute-threads').setValue('2')
      await flushPromises()
      expect(by(wrapper, 'compute-problem').exists()).toBe(true)
      client.answers['compute.configure'] = () => ({})
      await by(wrapper, 'compute-threads').setValue('1')
      await flushPromises()
      expect(by(wrapper, 'compute-problem').exists()).toBe(false)
    })
  })

  it('keeps saying a refusal that no job is the reason of', async () => {
    const job = aJob()
    useJobsStore().replaceAll([job])
    const wrapper = await shown()
    client.answers['compute.configure'] = () => {
      throw new CodedError('backend-lost', 'Plain JavaScript fails its self-test.')
    }
    await rung(wrapper, 'js').find('button').trigger('click')
    await flushPromises()
    useJobsStore().replaceAll([{ ...job, state: 'done' }])
    await flushPromises()
    expect(by(wrapper, 'compute-problem').text()).toBe('Plain JavaScript fails its self-test.')
  })

  it('leaves the choice to the environment where that makes it', async () => {
    report = aDoctorReport({ wanted: { backend: 'wasm', threads: 1 } })
    overruled = { backend: 'MASKWRIGHT_BACKEND decides.', threads: 'MASKWRIGHT_THREADS decides.' }
    const wrapper = await shown()
    expect(by(wrapper, 'compute-choice').text()).toContain('MASKWRIGHT_BACKEND')
    expect(by(wrapper, 'choose-automatically').exists()).toBe(false)
    expect(by(wrapper, 'compute-threads').attributes('disabled')).toBeDefined()
    expect(rung(wrapper, 'js').find('button').attributes('disabled')).toBeDefined()
  })

  it('tries every rung again when asked', async () => {
    const wrapper = await shown()
    await by(wrapper, 'check-again').trigger('click')
    await flushPromises()
    expect(client.asked('app.doctor').at(-1)).toEqual({ fresh: true })
  })
})
