import { randomUUID } from 'node:crypto'
import { mkdirSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createClient, createRpcServer, memoryTransportPair, type BackendClient } from '../../core/rpc/index.ts'
import { writeVolume } from '../../imaging/index.ts'
import { lendCompute } from '../compute/lent.ts'
import { createBackend } from '../createBackend.ts'
import { createProject, openProject } from '../project/project.ts'
import { FakeCompute } from '../testing/fakeCompute.ts'
import { cleanUp, DIMS, LPS, rectangle, temporaryFolder, volumeData } from '../testing/fixtures.ts'
import { createSwitchboard, type OpenProject, type Switchboard } from './switchboard.ts'

const boards: Switchboard[] = []
const clients: BackendClient[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  for (const board of boards.splice(0)) await board.close()
  await cleanUp()
})

function project(name: string): string {
  const dir = join(temporaryFolder(), name)
  createProject(dir, { name }).close()
  return dir
}

async function start(first = project('First')) {
  const compute = new FakeCompute()
  const recent: { dir: string; name: string; isDemo: boolean }[] = []
  const opened: string[] = []
  const open = async (dir: string): Promise<OpenProject> => {
    const backend = await createBackend({
      ...{ projectDir: dir, compute: lendCompute(compute), version: '0.0.0', shell: 'test' },
    })
    recent.unshift({ dir, ...backend.project })
    opened.push(dir)
    return { dir, backend }
  }
  const board = createSwitchboard({
    first: await open(first),
    open,
    opened: () => undefined,
    recent: () => recent,
    log: () => undefined,
  })
  boards.push(board)
  const server = createRpcServer(board)
  const window = (): BackendClient => {
    const client = createClient({
      connect: async () => {
        const [page, host] = memoryTransportPair()
        server.accept(host)
        return page
      },
    })
    clients.push(client)
    return client
  }
  const idOf = (dir: string): string => board.registerFile(dir, 'open').id
  return { board, compute, window, idOf, first, opened }
}

async function addVolume({ board, window }: Awaited<ReturnType<typeof start>>) {
  const path = join(temporaryFolder(), 'volume.nii.gz')
  await writeVolume(path, { dims: DIMS, affine: LPS, data: volumeData(DIMS) })
  return window().call('case.add', { fileId: board.registerFile(path, 'open').id })
}

describe('opening another project', () => {
  it('tells every window, keeps compute, and gives the first one back as it was', async () => {
    const test = await start()
    const [one, two] = [test.window(), test.window()]
    const second = project('Second')
    const { id } = await addVolume(test)
    await one.call('labels.add', { name: 'Liver', color: null })
    await one.call('annotation.commit', {
      caseId: id,
      delta: rectangle({ index: 1, at: [2, 1], size: [3, 3], after: 1 }),
    })
    const told: string[] = []
    two.on('project.opened', ({ name }) => told.push(name))
    await two.call('project.get', {})
    const opened = await one.call('project.open', { fileId: test.idOf(second) })
    expect(await two.call('project.get', {})).toMatchObject({ id: opened.id, name: 'Second', cases: [] })
    await expect.poll(() => told, { timeout: 20_000 }).toEqual(['Second'])
    expect(test.compute.closed).toBe(false)
    await expect(two.call('case.open', { caseId: id })).rejects.toMatchObject({ code: 'not-found' })
    expect(test.board.current.dir).toBe(second)

    const recent = await two.call('project.recent', {})
    expect(recent).toMatchObject([{ name: 'First', path: test.first, isDemo: false }])
    await two.call('project.open', { fileId: recent[0]?.folder.id ?? '' })
    const { revision } = await one.call('case.open', { caseId: id })
    expect(revision).toBe(1)
    // Nobody holds the second one any more.
    openProject(second).close()
  })

  it('changes nothing where the other cannot be opened', async () => {
    const test = await start()
    const client = test.window()
    const { id } = await addVolume(test)
    const empty = temporaryFolder()
    await expect(client.call('project.open', { fileId: test.idOf(empty) })).rejects.toMatchObject({
      code: 'no-project',
    })
    const held = await start(project('Held'))
    await expect(client.call('project.open', { fileId: test.idOf(held.first) })).rejects.toMatchObject({ code: 'busy' })
    await expect(client.call('project.open', { fileId: randomUUID() })).rejects.toMatchObject({ code: 'not-found' })
    expect(await client.call('project.get', {})).toMatchObject({ name: 'First', cases: [{ id }] })
  })

  it('is refused while a job runs, and is nothing for the one that is open, by whatever name', async () => {
    const test = await start()
    const client = test.window()
    const link = join(temporaryFolder(), 'link')
    symlinkSync(test.first, link)
    const { id } = await client.call('project.get', {})
    expect(await client.call('project.open', { fileId: test.idOf(link) })).toEqual({ id })
    let release: () => void = () => undefined
    test.compute.recipes.before = () => new Promise((resolve) => (release = resolve))
    const data = join(temporaryFolder(), 'data')
    mkdirSync(data)
    const [recipe] = await client.call('recipes.list', {})
    if (recipe === undefined) throw new Error('no recipe')
    const settings = recipe.presets.best
    const choice = { recipe: recipe.name, preset: 'best' as const, settings, folderId: test.idOf(data) }
    const job = await client.call('recipes.check', choice)
    const second = project('Second')
    await expect(client.call('project.open', { fileId: test.idOf(second) })).rejects.toMatchObject({
      code: 'busy',
      message: 'Data are being checked; wait for that, or cancel it, then open the other project.',
    })
    await expect.poll(() => test.compute.recipes.asked.length, { timeout: 20_000 }).toBe(1)
    release()
    const state = async () => (await client.call('project.get', {})).jobs.find((one) => one.id === job.id)?.state
    await expect.poll(state, { timeout: 20_000 }).toBe('done')
    await client.call('project.open', { fileId: test.idOf(second) })
    expect((await client.call('project.get', {})).name).toBe(basename(second))
  })

  it('lets calls under way, and strokes, end in their own project; other calls wait for the next one', async () => {
    const test = await start()
    const client = test.window()
    const { id } = await addVolume(test)
    await client.call('labels.add', { name: 'Liver', color: null })
    let release: () => void = () => undefined
    test.compute.recipes.before = () => new Promise((resolve) => (release = resolve))
    const [recipe] = await client.call('recipes.list', {})
    if (recipe === undefined) throw new Error('no recipe')
    const settings = recipe.presets.best
    const folderId = test.idOf(temporaryFolder())
    const sheet = client.call('recipes.sheet', { recipe: recipe.name, preset: 'best', settings, folderId })
    await expect.poll(() => test.compute.recipes.asked.length, { timeout: 20_000 }).toBe(1)

    const second = project('Second')
    const opened = client.call('project.open', { fileId: test.idOf(second) })
    await expect.poll(() => test.opened.at(-1), { timeout: 20_000 }).toBe(second)
    const order: string[] = []
    const after = client.call('project.get', {}).finally(() => order.push('get'))
    const delta = rectangle({ index: 1, at: [2, 1], size: [3, 3], after: 1 })
    const committed = client.call('annotation.commit', { caseId: id, delta }).finally(() => order.push('commit'))
    expect(await committed).toMatchObject({ revision: 1 })
    release()
    expect((await sheet).png.length).toBeGreaterThan(0)
    await opened
    expect(await after).toMatchObject({ name: 'Second' })
    expect(order).toEqual(['commit', 'get'])
    const first = openProject(test.first)
    expect(first.db.get('SELECT COUNT(*) AS count FROM journal')).toEqual({ count: 1 })
    first.close()
  })
})
