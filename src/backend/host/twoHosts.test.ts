import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { computeSettingsSchema, type Job } from '../../core/contract/schemas.ts'
import { createClient, createRpcServer, memoryTransportPair, type BackendClient } from '../../core/rpc/index.ts'
import { writeVolume } from '../../imaging/index.ts'
import { DIMS, LPS, rectangle, volumeData } from '../testing/fixtures.ts'
import { openHost, type Host } from './openHost.ts'
import { findPlaces } from './places.ts'

const PATIENCE = { timeout: 120_000, interval: 20 }
const TRAIN = { steps: 3, seconds: 100, seed: 1, show: null }

let dir = ''
const hosts: Host[] = []
const clients: BackendClient[] = []

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'maskwright-hosts-'))
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  for (const host of hosts.splice(0)) await host.close()
  await rm(dir, { recursive: true, force: true })
})

interface Window {
  readonly client: BackendClient
  readonly host: Host
}

/** A host of its own on a project of its own, with its compute process, and one window. Both share a user's folder. */
async function open(name: string): Promise<Window> {
  const host = await openHost({
    places: findPlaces(),
    projectDir: join(dir, name),
    shell: 'browser',
    dataDir: join(dir, 'user'),
    computeEnv: { MASKWRIGHT_BACKEND: 'wasm' },
  })
  hosts.push(host)
  const server = createRpcServer(host.backend)
  const client = createClient({
    connect: async () => {
      const [page, end] = memoryTransportPair()
      server.accept(end)
      return page
    },
  })
  clients.push(client)
  return { client, host }
}

/** One volume, one label, one corrected slice. */
async function correct({ client, host }: Window, name: string): Promise<string> {
  const path = join(dir, `${name}.nii.gz`)
  await writeVolume(path, { dims: DIMS, affine: LPS, data: volumeData(DIMS, name.length) })
  const { id } = await client.call('case.add', { fileId: host.backend.registerFile(path, 'open').id })
  await client.call('labels.add', { name: 'Liver', color: null })
  await client.call('case.open', { caseId: id })
  const delta = rectangle({ index: 1, at: [2, 1], size: [3, 3], after: 1 })
  await client.call('annotation.commit', { caseId: id, delta })
  return id
}

async function end(client: BackendClient, { id }: Job): Promise<Job | undefined> {
  const find = async () => (await client.call('project.get', {})).jobs.find((job) => job.id === id)
  await expect.poll(async () => (await find())?.state, PATIENCE).not.toMatch(/queued|running/)
  return find()
}

it(
  'two hosts on one computer train and are configured at once, each with its own jobs, and share their folder',
  async () => {
    const first = await open('first')
    const second = await open('second')
    await expect(open('first')).rejects.toMatchObject({ code: 'busy' })
    await correct(first, 'first')
    const caseId = await correct(second, 'second')

    const ours = await first.client.call('train.start', TRAIN)
    const theirs = await second.client.call('train.start', { ...TRAIN, show: { caseId, index: 2 } })
    // A job of another host is not known here.
    await expect(first.client.call('job.cancel', { jobId: theirs.id })).rejects.toMatchObject({ code: 'not-found' })
    expect(await end(first.client, ours)).toMatchObject({ state: 'done', error: null })
    expect(await end(second.client, theirs)).toMatchObject({ state: 'done', error: null })
    const predicted = (await second.client.call('project.get', {})).jobs.find(({ kind }) => kind === 'predict')
    if (predicted === undefined) throw new Error('nothing was predicted')
    expect(await end(second.client, predicted)).toMatchObject({ state: 'done' })
    for (const { client } of [first, second]) {
      expect((await client.call('project.get', {})).models).toMatchObject([{ version: 1, active: true }])
    }

    await Promise.all([
      first.client.call('compute.configure', { backend: 'auto', threads: 1 }),
      second.client.call('compute.configure', { backend: 'auto', threads: 2 }),
    ])
    expect(first.client.state).toBe('open')
    const files = await readdir(join(dir, 'user'))
    expect(files.filter((name) => name.endsWith('.new'))).toEqual([])
    const kept = computeSettingsSchema.parse(JSON.parse(await readFile(join(dir, 'user', 'compute.json'), 'utf8')))
    expect([1, 2]).toContain(kept.threads)
    expect(await second.client.call('compute.settings', {})).toMatchObject(kept)
  },
  5 * 60_000,
)
