import { enableAutoUnmount, flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import type { Pinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CodedError, type FileEntry, type Job } from '../../../../core/contract/index.ts'
import { recipeWords } from '../../i18n/recipes.ts'
import { takeCarried } from '../../platform/pageLife.ts'
import { useJobsStore } from '../../stores/jobs.ts'
import { useNewProjectStore } from '../../stores/newProject.ts'
import { useProjectStore } from '../../stores/project.ts'
import { aJob, aProject, projectClient, type FakeClient } from '../../testing/fakeClient.ts'
import { aFound, aRecipe } from '../../testing/recipes.ts'
import { withProject } from '../../testing/setUp.ts'
import NewProjectPage from './NewProjectPage.vue'

enableAutoUnmount(afterEach)

const words = recipeWords.wizard
const folder = (name: string): FileEntry => ({ id: name, name, text: `/data/${name}/`, kind: 'folder' })
const checking = aJob({ id: 'check-1', kind: 'check', caseId: null })
const creating = aJob({ id: 'create-1', kind: 'create', caseId: null })

let client: FakeClient
let pinia: Pinia

beforeEach(async () => {
  client = projectClient(aProject(), {
    'recipes.list': () => [aRecipe(), aRecipe({ name: 'nuclei', title: 'Nuclei', classes: [] })],
    'files.complete': ({ text }) => [folder('wbc'), folder('projects')].filter((one) => one.text.startsWith(text)),
    'recipes.check': () => checking,
    'recipes.found': () => aFound(),
    'recipes.sheet': () => ({ png: new Uint8Array(4) }),
    'recipes.create': () => ({ job: creating, folder: folder('new') }),
    'project.open': () => ({ id: 'project-2' }),
    'job.cancel': ({ jobId }) => aJob({ id: jobId, kind: 'check', state: 'cancelled' }),
  })
  pinia = await withProject(client)
  useJobsStore().follow(() => undefined)
})

const by = (wrapper: VueWrapper, id: string) => wrapper.find(`[data-testid="${id}"]`)
const end = (job: Job, change: Partial<Job> = {}) => {
  client.tell('job.changed', { job: { ...job, state: 'done', progress: 1, ...change } })
  return flushPromises()
}

async function page(): Promise<VueWrapper> {
  const wrapper = mount(NewProjectPage, { global: { plugins: [pinia] }, attachTo: document.body })
  await flushPromises()
  return wrapper
}

async function next(wrapper: VueWrapper): Promise<void> {
  await by(wrapper, 'wizard-next').trigger('click')
  await flushPromises()
}

async function choosePath(wrapper: VueWrapper, text: string): Promise<void> {
  await by(wrapper, 'path-field').setValue(text)
  await flushPromises()
  await by(wrapper, 'path-field').trigger('keydown', { key: 'Enter' })
  await flushPromises()
}

async function toCheck(): Promise<VueWrapper> {
  const wrapper = await page()
  await wrapper.find('[data-recipe="wbc"] input').trigger('change')
  await next(wrapper)
  await choosePath(wrapper, '/data/wbc/')
  await next(wrapper)
  return wrapper
}

async function toProject(): Promise<VueWrapper> {
  const wrapper = await toCheck()
  await end(checking)
  await next(wrapper)
  await next(wrapper)
  return wrapper
}

/** At the last step, where the backend refuses to make it. */
async function toRefusal(): Promise<VueWrapper> {
  client.answers['recipes.create'] = () => {
    throw new CodedError('conflict', 'The folder "/data/projects/White blood cells" holds something.')
  }
  const wrapper = await toProject()
  await choosePath(wrapper, '/data/projects/')
  return wrapper
}

describe('a new project from a recipe', () => {
  it('goes from a recipe to an open project', async () => {
    const wrapper = await toCheck()
    expect(by(wrapper, 'check-running').text()).toContain('slice 3 of 10')
    await end(checking)
    expect(by(wrapper, 'found-cases').text()).toBe('3 cases')
    expect(by(wrapper, 'left-out').text()).toContain('Dataset 1/004.bmp')
    expect(wrapper.text()).toContain('1 file is left out')
    expect(wrapper.findAll('[data-testid="thumbnail"]')).toHaveLength(2)
    expect(by(wrapper, 'wizard-outcome').text()).toBe(words.check.outcome(2, 0, 1))

    await next(wrapper)
    const epochs = wrapper.find('[data-path="training.epochs"] input')
    await epochs.setValue('5')
    await flushPromises()
    expect(client.asked('recipes.sheet')).toHaveLength(1)

    await next(wrapper)
    expect((by(wrapper, 'project-name').element as HTMLInputElement).value).toBe('White blood cells')
    await choosePath(wrapper, '/data/projects/')
    await next(wrapper)
    expect(client.asked('recipes.create')).toMatchObject([
      { recipe: 'wbc', preset: 'best', folderId: 'wbc', parentId: 'projects', name: 'White blood cells', seed: 1 },
    ])
    expect(client.asked('recipes.create')).toMatchObject([{ settings: { training: { epochs: 5 } } }])
    expect(by(wrapper, 'wizard-next').attributes('disabled')).toBeDefined()
    await end(creating)
    expect(client.asked('project.open')).toEqual([{ fileId: 'new' }])
    expect(takeCarried()).toEqual({ page: 'training', train: true })
  })

  it('says what is missing only when Next is pressed, and lets no step be skipped', async () => {
    const wrapper = await page()
    expect(by(wrapper, 'wizard-outcome').classes()).not.toContain('problem')
    await next(wrapper)
    expect(by(wrapper, 'wizard-outcome').text()).toBe(words.recipe.question)
    expect(by(wrapper, 'step-check').attributes('aria-disabled')).toBe('true')
    await by(wrapper, 'step-check').trigger('click')
    expect(by(wrapper, 'new-project').attributes('data-step')).toBe('recipe')
  })

  it('takes what was typed as a path with Next, and keeps it where it is none', async () => {
    const wrapper = await page()
    await wrapper.find('[data-recipe="wbc"] input').trigger('change')
    await next(wrapper)
    await by(wrapper, 'path-field').setValue('/nowhere')
    await flushPromises()
    await next(wrapper)
    expect(by(wrapper, 'new-project').attributes('data-step')).toBe('data')
    expect(wrapper.text()).toContain(words.data.noSuchFolder('/nowhere'))
    await by(wrapper, 'path-field').setValue('/data/wbc')
    await flushPromises()
    await next(wrapper)
    expect(client.asked('recipes.check')).toMatchObject([{ folderId: 'wbc' }])
  })

  it('keeps what was chosen when the page is left, and does not check twice', async () => {
    const wrapper = await toCheck()
    await end(checking)
    wrapper.unmount()
    const again = await page()
    expect(by(again, 'found-cases').exists()).toBe(true)
    expect(client.asked('recipes.check')).toHaveLength(1)
  })

  it('checks again where the split was changed', async () => {
    const wrapper = await toCheck()
    await end(checking)
    await next(wrapper)
    await by(wrapper, 'settings-split').trigger('click')
    await wrapper.find('[data-path="split.holdout"] input').setValue('5')
    await flushPromises()
    expect(by(wrapper, 'step-project').attributes('aria-disabled')).toBe('true')
    await by(wrapper, 'step-check').trigger('click')
    await flushPromises()
    expect(client.asked('recipes.check')).toHaveLength(2)
    expect(client.asked('recipes.check')[1]).toMatchObject({ settings: { split: { holdout: 5 } } })
  })

  it('does not leave settings that cannot be used', async () => {
    const wrapper = await toCheck()
    await end(checking)
    await next(wrapper)
    await wrapper.find('[data-path="training.epochs"] input').setValue('none')
    await next(wrapper)
    expect(by(wrapper, 'new-project').attributes('data-step')).toBe('settings')
    expect(by(wrapper, 'wizard-outcome').text()).toBe(words.settings.problems(1))
    expect(wrapper.find('[data-path="training.epochs"]').text()).toContain('must be a number')
  })

  it('shows why data cannot be used, and a check that was stopped', async () => {
    const wrapper = await toCheck()
    const error = { code: 'nothing-to-train', message: 'No image in "wbc" has a mask.' }
    await end(checking, { state: 'failed', error })
    expect(by(wrapper, 'check-failed').text()).toBe(error.message)
    const second = { ...checking, id: 'check-2' }
    client.answers['recipes.check'] = () => second
    await by(wrapper, 'check-again').trigger('click')
    await flushPromises()
    await end(second, { state: 'cancelled' })
    expect(wrapper.text()).toContain(words.check.stopped)
    expect(useNewProjectStore().check.state).toBe('stopped')
  })

  it('shows at once where the backend refuses, and what was typed stays', async () => {
    const wrapper = await toRefusal()
    await by(wrapper, 'project-name').setValue('a/b')
    await next(wrapper)
    expect(by(wrapper, 'wizard-outcome').text()).toBe(words.project.nameProblem)
    await by(wrapper, 'project-name').setValue('cells')
    await next(wrapper)
    expect(by(wrapper, 'create-failed').text()).toContain('holds something')
    expect((by(wrapper, 'project-name').element as HTMLInputElement).value).toBe('cells')
    expect(by(wrapper, 'wizard-next').attributes('disabled')).toBeUndefined()
  })

  it('no longer says why it was not created once the name or the folder is another', async () => {
    const wrapper = await toRefusal()
    await next(wrapper)
    expect(by(wrapper, 'create-failed').exists()).toBe(true)
    await by(wrapper, 'project-name').setValue('cells')
    expect(by(wrapper, 'create-failed').exists(), 'another name').toBe(false)
    await next(wrapper)
    expect(by(wrapper, 'create-failed').exists()).toBe(true)
    await by(wrapper, 'folder-another').trigger('click')
    expect(by(wrapper, 'create-failed').exists(), 'another folder').toBe(false)
  })

  it('offers to open again what was made and could not be opened', async () => {
    client.answers['project.open'] = () => {
      throw new CodedError('busy', 'Another job is running.')
    }
    const wrapper = await toProject()
    await choosePath(wrapper, '/data/projects/')
    await next(wrapper)
    await end(creating)
    expect(by(wrapper, 'create-failed').text()).toContain('Another job is running.')
    expect(takeCarried(), 'nothing is carried into nothing').toBeNull()
    client.answers['project.open'] = () => ({ id: 'project-2' })
    await by(wrapper, 'open-made').trigger('click')
    await flushPromises()
    expect(client.asked('project.open')).toHaveLength(2)
    takeCarried()
  })

  it('has what was made while the page was left wait to be opened, and lets another one be begun', async () => {
    const wrapper = await toProject()
    await choosePath(wrapper, '/data/projects/')
    await next(wrapper)
    wrapper.unmount()
    await end(creating)
    expect(client.asked('project.open')).toEqual([])
    const again = await page()
    expect(again.text()).toContain(words.project.made('new'))
    expect(by(again, 'wizard-back').attributes('disabled')).toBeUndefined()
    await by(again, 'open-made').trigger('click')
    await flushPromises()
    expect(client.asked('project.open')).toEqual([{ fileId: 'new' }])
    takeCarried()
  })

  it('uses native dialogs where there are some', async () => {
    const project = useProjectStore()
    if (project.info !== null) project.info = { ...project.info, nativeDialogs: true }
    client.answers['files.openDialog'] = ({ kind }) => (kind === 'folder' ? [folder('wbc')] : [])
    const wrapper = await page()
    await wrapper.find('[data-recipe="wbc"] input').trigger('change')
    await next(wrapper)
    await next(wrapper)
    expect(by(wrapper, 'wizard-outcome').text()).toBe(words.data.needed)
    await by(wrapper, 'folder-browse').trigger('click')
    await flushPromises()
    expect(by(wrapper, 'folder-chosen').text()).toContain('/data/wbc/')
  })
})
