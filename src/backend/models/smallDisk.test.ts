import { spawnSync } from 'node:child_process'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { cleanUp, emptyProject, openWithCase, temporaryFolder } from '../testing/fixtures.ts'
import { drawBlock, retrain } from '../testing/versions.ts'

afterEach(cleanUp)

const MOVER = join(import.meta.dirname, '..', 'testing', 'versionMoverChild.ts')
const mounts = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' }).status === 0
const why = mounts ? '' : '(small disks cannot be mounted here)'

/** Runs the mover with a disk of 4 MB at `disk`, where a copy of `project` is if one is given. */
function onSmallDisk(disk: string, project: string | null, args: readonly string[]): { told: unknown; left: string[] } {
  const copy = project === null ? '' : 'cp -r "$1" "$0/project" && '
  const script = `mount -t tmpfs -o size=4m tmpfs "$0" && ${copy}"\${@:2}"; ls -A "$0"`
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', MOVER]
  const { stdout, stderr } = spawnSync(
    'unshare',
    ['-rm', 'bash', '-c', script, disk, project ?? '', ...node, ...args],
    {
      encoding: 'utf8',
      timeout: 50_000,
    },
  )
  const [first = '', ...left] = stdout.trim().split('\n')
  expect(first, stderr).toMatch(/^\{/)
  return { told: JSON.parse(first), left }
}

/** A project with a version of 6 MB, and the file of that. */
async function withLargeVersion(): Promise<{ dir: string; path: string }> {
  const test = await openWithCase()
  await drawBlock(test, test.caseId, 1)
  const { id: modelId } = await retrain(test)
  writeFileSync(join(test.dir, 'models', '001', 'weights.bin'), new Uint8Array(6 * 2 ** 20))
  const { path } = await test.call('models.export', { modelId, fileId: null })
  await test.backend.close()
  return { dir: test.dir, path }
}

describe.skipIf(!mounts)(`a disk that is full ${why}`, () => {
  it('takes no half of a version that is imported', { timeout: 60_000 }, async () => {
    const { path } = await withLargeVersion()
    const disk = temporaryFolder()
    const { told } = onSmallDisk(disk, emptyProject(), [join(disk, 'project'), path])
    expect(told).toEqual({ code: 'disk-full', versions: [], folders: [] })
  })

  it('leaves nothing of a version that is exported, and what was there before', { timeout: 60_000 }, async () => {
    const { dir } = await withLargeVersion()
    const disk = temporaryFolder()
    const { told, left } = onSmallDisk(disk, null, [dir, '', join(disk, 'a.maskwright-model')])
    expect(told).toEqual({ code: 'disk-full', versions: [{ version: 1, active: true }], folders: ['001'] })
    expect(left).toEqual([])
  })

  it('with room enough, both work', { timeout: 60_000 }, async () => {
    const { dir, path } = await withLargeVersion()
    writeFileSync(join(dir, 'models', '001', 'weights.bin'), new Uint8Array(2 ** 20))
    const disk = temporaryFolder()
    const { told, left } = onSmallDisk(disk, null, [dir, '', join(disk, 'a.maskwright-model')])
    expect([told, left]).toMatchObject([{ code: 'none' }, ['a.maskwright-model']])
    expect(readFileSync(path).length).toBeGreaterThan(6 * 2 ** 20)
    expect(readdirSync(disk), 'the disk was another').toEqual([])
  })
})
