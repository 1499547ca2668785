import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, it } from 'vitest'
import { cleanUp, openBackend } from '../testing/fixtures.ts'
import { openWithHoldout, retrain, usedVersion, versionOf } from '../testing/versions.ts'
import { readModelFolder } from './folder.ts'

afterEach(cleanUp)

const WRITER = join(import.meta.dirname, '..', 'testing', 'versionWriterChild.ts')
const ROUNDS = Number(process.env.MASKWRIGHT_KILL_ROUNDS ?? 8)

/** Lets the writer work for a while and kills it without warning, or waits until it kills itself. Resolves with what it had said. */
async function writeAndDie(args: readonly string[], afterMs: number | null): Promise<string[]> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', WRITER, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  child.stdout.on('data', (chunk: Buffer) => {
    if (said === '' && afterMs !== null) setTimeout(() => child.kill('SIGKILL'), afterMs)
    said += chunk.toString()
  })
  const signal = await new Promise((resolve) => child.on('close', (_code, killedBy) => resolve(killedBy)))
  expect(errors).toBe('')
  expect(signal).toBe('SIGKILL')
  return said.split('\n').filter((line) => line !== '')
}

/** What holds at every moment, as a project that was just opened has it. */
function expectWhole(dir: string): void {
  const database = new DatabaseSync(join(dir, 'project.sqlite'), { readOnly: true })
  const rows = database
    .prepare(
      `SELECT m.id, version, active, pruned, used_at, (SELECT verdict FROM judgements j WHERE j.model_id = m.id
         AND verdict IN ('promoted', 'unproven', 'overridden') LIMIT 1) AS allowed FROM models m ORDER BY version`,
    )
    .all()
  database.close()
  expect(rows.filter(({ active }) => active === 1)).toHaveLength(1)
  for (const { active, pruned, used_at: usedAt, allowed } of rows) {
    // In use never without the reason why, and the other way round.
    expect(usedAt === null).toBe(allowed === null)
    if (active === 1) expect([usedAt === null, pruned]).toEqual([false, 0])
  }
  const folders = rows.filter(({ pruned }) => pruned === 0).map(({ version }) => String(version).padStart(3, '0'))
  expect(readdirSync(join(dir, 'models')).sort()).toEqual(folders)
  for (const name of folders) readModelFolder(join(dir, 'models', name))
}

describe('kill -9 at any moment', () => {
  it(`leaves the old version in use or the new one, ${ROUNDS} times in a row`, { timeout: 120_000 }, async () => {
    const first = await openWithHoldout(5)
    await retrain(first)
    const { dir } = first
    await first.backend.close()
    let used = 1
    let done = 0
    for (let round = 0; round < ROUNDS; round++) {
      const lines = await writeAndDie([dir, String(round + 1)], 5 + ((round * 137) % 600))
      let pending: string | null = null
      for (const line of lines) {
        if (line.startsWith('try ')) pending = line.slice(4)
        else if (line.startsWith('ok ')) {
          pending = null
          used = Number(line.slice(3))
          done++
        }
      }
      const test = await openBackend(dir)
      expectWhole(dir)
      const newest = await versionOf(test, -1)
      // What it was about to do may have reached the disk without its answer.
      const wanted = pending === null ? null : pending.startsWith('use ') ? Number(pending.slice(4)) : newest.version
      const found = await usedVersion(test)
      expect([used, wanted], `round ${round}: ${pending}`).toContain(found)
      used = found ?? 0
      await test.backend.close()
    }
    // Else it was killed before it did anything: on a machine that is busy with something else.
    expect(done).toBeGreaterThanOrEqual(ROUNDS / 2)
  })

  it.each([
    ['written', 1],
    ['judging', 2],
  ] as const)(
    'between training and promotion leaves the old one in use: %s',
    { timeout: 60_000 },
    async (moment, versions) => {
      const first = await openWithHoldout(5)
      await retrain(first)
      const { dir } = first
      await first.backend.close()
      await writeAndDie([dir, '1', moment], null)
      const test = await openBackend(dir)
      expectWhole(dir)
      expect(await usedVersion(test)).toBe(1)
      expect((await test.call('project.get', {})).models).toHaveLength(versions)
      if (versions === 2) expect(await versionOf(test, 1)).toMatchObject({ judged: { verdict: 'waiting' } })
      // What was cut off is not in the way of the next.
      expect(await retrain(test)).toMatchObject({ version: versions + 1 })
    },
  )
})
