import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readLastProject, rememberProject } from './lastProject.ts'
import { openHost } from './openHost.ts'
import { findPlaces, userDataDir } from './places.ts'

let dir = ''
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'maskwright-host-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

describe('the places of an installation', () => {
  async function install() {
    await mkdir(join(dir, 'out', 'main', 'chunks'), { recursive: true })
    await mkdir(join(dir, 'src', 'backend', 'host'), { recursive: true })
    await mkdir(join(dir, 'resources', 'models', 'demo'), { recursive: true })
    await writeFile(join(dir, 'package.json'), JSON.stringify({ name: 'maskwright', version: '9.8.7' }))
    await writeFile(join(dir, 'src', 'package.json'), JSON.stringify({ name: 'something-else', version: '1.0.0' }))
  }

  it('are the built parts for built code', async () => {
    await install()
    expect(findPlaces(join(dir, 'out', 'main', 'chunks'), {})).toEqual({
      root: dir,
      version: '9.8.7',
      rendererDir: join(dir, 'out', 'renderer'),
      preload: join(dir, 'out', 'preload', 'index.cjs'),
      computeEntry: join(dir, 'out', 'main', 'compute.js'),
      nodePath: process.execPath,
      modelDir: null,
    })
  })

  it('are the sources for code that runs from source', async () => {
    await install()
    await writeFile(join(dir, 'resources', 'models', 'demo', 'card.json'), '{}')
    const places = findPlaces(join(dir, 'src', 'backend', 'host'), { MASKWRIGHT_NODE: '/opt/node' })
    expect(places.computeEntry).toBe(join(dir, 'src', 'compute', 'entry.ts'))
    expect(places.modelDir).toBe(join(dir, 'resources', 'models', 'demo'))
    expect(places.nodePath).toBe('/opt/node')
  })

  it('are those of this checkout by default', () => {
    expect(findPlaces().root).toBe(resolve(import.meta.dirname, '../../..'))
  })

  it('are not found in someone else’s folder', () => {
    expect(() => findPlaces(dir, {})).toThrow('install it again')
  })
})

describe('the folder of this user', () => {
  it.each([
    ['linux' as const, { XDG_DATA_HOME: '/x' }, join('/x', 'maskwright')],
    ['linux' as const, {}, join('/home/a', '.local', 'share', 'maskwright')],
    ['darwin' as const, {}, join('/home/a', 'Library', 'Application Support', 'Maskwright')],
    ['win32' as const, { LOCALAPPDATA: '/local' }, join('/local', 'Maskwright')],
  ])('on %s', (platform, env, expected) => {
    expect(userDataDir(env, platform, '/home/a')).toBe(expected)
  })
})

const P = { name: 'P', isDemo: false }

describe('the last project', () => {
  it('is remembered, and forgotten where the memory is damaged', async () => {
    expect(readLastProject(dir)).toBeNull()
    rememberProject(join(dir, 'new'), '/data/p', P)
    expect(readLastProject(join(dir, 'new'))).toBe('/data/p')
    rememberProject(join(dir, 'new'), '/data/q', P)
    expect(readLastProject(join(dir, 'new'))).toBe('/data/q')
    await writeFile(join(dir, 'new', 'last-project.json'), '{"lastProject": 7}')
    expect(readLastProject(join(dir, 'new'))).toBeNull()
  })

  it('is no reason to fail where nothing can be written', async () => {
    await writeFile(join(dir, 'file'), '')
    expect(() => rememberProject(join(dir, 'file'), '/data/p', P)).not.toThrow()
  })
})

describe('the project of a start', () => {
  it('is the demo, with a sentence, where the last one is damaged; one that is named is never replaced', async () => {
    const broken = join(dir, 'broken')
    await mkdir(broken)
    await writeFile(join(broken, 'project.sqlite'), 'this is no database at all, though it is called one')
    rememberProject(join(dir, 'data'), broken, P)
    const lines: string[] = []
    const options = {
      places: { ...findPlaces(), modelDir: null },
      shell: 'browser' as const,
      dataDir: join(dir, 'data'),
      log: (line: string) => void lines.push(line),
    }
    const host = await openHost({ ...options, projectDir: null })
    expect(host.projectDir).toBe(join(dir, 'data', 'demo'))
    expect(lines.join('\n')).toContain('Opening the demo project instead.')
    await host.close()
    await expect(openHost({ ...options, projectDir: broken })).rejects.toMatchObject({ code: 'bad-file' })
  })
})
