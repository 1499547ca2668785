import { beforeEach, describe, expect, it, vi } from 'vitest'
import { lifeOf, provideClient } from '../api/client.ts'
import { recipeWords } from '../i18n/recipes.ts'
import { carry, provideRestart, takeCarried } from '../platform/pageLife.ts'
import { useAnnotationStore } from '../stores/annotation.ts'
import { useProjectStore } from '../stores/project.ts'
import { useRecipesStore } from '../stores/recipes.ts'
import { useUiStore } from '../stores/ui.ts'
import { useUploadsStore } from '../stores/uploads.ts'
import { aJob, aModel, aProject, projectClient, type FakeClient } from '../testing/fakeClient.ts'
import { aRecipe, aTraining } from '../testing/recipes.ts'
import { withProject } from '../testing/setUp.ts'
import { followProject, goOn, openProject } from './recipes.ts'

let client: FakeClient

beforeEach(async () => {
  const trained = aModel({ id: 'model-2', version: 2, recipe: 'wbc', report: true })
  client = projectClient(aProject({ models: [trained, aModel({ active: false })], isDemo: false }), {
    'recipes.list': () => [aRecipe()],
    'recipes.state': () => ({
      project: { ...aTraining().choice, dataPath: '/data/wbc', missing: false },
      training: null,
    }),
    'recipes.train': () => aJob({ kind: 'recipe', state: 'queued', caseId: null }),
    'recipes.discard': () => ({}),
  })
  await withProject(client)
  await useRecipesStore().load()
  useRecipesStore().follow(() => undefined)
})

describe('another project', () => {
  it('begins the interface anew, over the same connection', () => {
    const again = vi.fn()
    provideRestart(again)
    followProject()
    client.tell('project.opened', { id: 'project-2', name: 'Cells' })
    expect(again).toHaveBeenCalledOnce()
  })

  it('goes on with the training that was asked for, once', async () => {
    carry({ page: 'training', train: true })
    await goOn()
    expect(useUiStore().page).toBe('training')
    expect(client.asked('recipes.train')).toHaveLength(1)
    expect(takeCarried()).toBeNull()
    useUiStore().leavePage()
    await goOn()
    expect(useUiStore().page).toBeNull()
  })

  it('is not opened while strokes or files are on their way, and the reason is said', async () => {
    const folder = { id: 'there', name: 'there', text: '/p/there/', kind: 'folder' } as const
    useAnnotationStore().pendingStrokes = 1
    await expect(openProject(folder)).rejects.toMatchObject({ code: 'busy', message: recipeWords.project.unsaved })
    useAnnotationStore().pendingStrokes = 0
    const waiting = { id: 1, name: 'a.nii', files: 1, size: 9, sent: 0, state: 'sending', error: null } as const
    useUploadsStore().uploads = [waiting]
    await expect(openProject(folder)).rejects.toMatchObject({ message: recipeWords.project.uploading })
    expect(client.asked('project.open')).toEqual([])
  })

  it('is not begun anew where it is the one that is open', async () => {
    client.answers['project.open'] = () => ({ id: useProjectStore().project?.id ?? '' })
    const ui = useUiStore()
    ui.open('open-project')
    await openProject({ id: 'here', name: 'here', text: '/p/here/', kind: 'folder' })
    expect(ui.panel).toBeNull()
    expect(takeCarried()).toBeNull()
  })

  it('hears nothing of the one before, which asks for nothing any more', async () => {
    const life = lifeOf(client)
    provideClient(life.client)
    const heard: string[] = []
    life.client.on('labels.changed', () => heard.push('labels'))
    const stop = life.client.on('models.changed', () => heard.push('models'))
    life.client.onResync(() => heard.push('resync'))
    stop()
    client.tell('models.changed', { models: [] })
    client.tell('labels.changed', { labels: [] })
    life.end()
    client.tell('labels.changed', { labels: [] })
    client.resync()
    expect(heard).toEqual(['labels'])
    expect(life.client.state).toBe('closed')
    await expect(life.client.call('recipes.discard', {})).rejects.toMatchObject({ code: 'cancelled' })
    expect(client.asked('recipes.discard')).toEqual([])
    provideClient(client)
  })
})
