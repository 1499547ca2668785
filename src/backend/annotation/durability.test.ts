import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { openProject } from '../project/project.ts'
import { cleanUp, openBackend, openWithCase, readMaskOf } from '../testing/fixtures.ts'
import type { Step } from '../testing/strokeWriter.ts'
import { Journal } from './journal.ts'

afterEach(cleanUp)

const WRITER = join(import.meta.dirname, '..', 'testing', 'strokeWriter.ts')
const ROUNDS = Number(process.env.MASKWRIGHT_KILL_ROUNDS ?? 8)

/** Lets the writer work for a while and kills it without warning. Resolves with everything it had said. */
async function writeAndKill(args: readonly string[], afterMs: number): Promise<string[]> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', WRITER, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  child.stdout.on('data', (chunk: Buffer) => {
    if (said === '') setTimeout(() => child.kill('SIGKILL'), afterMs)
    said += chunk.toString()
  })
  const signal = await new Promise((resolve) => child.on('close', (_code, killedBy) => resolve(killedBy)))
  expect(errors).toBe('')
  expect(signal).toBe('SIGKILL')
  // The kill may have come in the middle of a line.
  return said
    .slice(0, said.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
}

/** The mask as it should be, kept by means that the product does not use: one array copy a step. */
class Oracle {
  readonly #done: Uint8Array[]
  #undone: Uint8Array[]

  constructor(done: readonly Uint8Array[] = [new Uint8Array(240)], undone: readonly Uint8Array[] = []) {
    this.#done = [...done]
    this.#undone = [...undone]
  }

  copy(): Oracle {
    return new Oracle(this.#done, this.#undone)
  }

  get mask(): Uint8Array {
    return this.#done.at(-1) ?? new Uint8Array(240)
  }

  apply(step: Step): void {
    if (step.do === 'undo') {
      const last = this.#done.length > 1 ? this.#done.pop() : undefined
      if (last !== undefined) this.#undone.push(last)
    } else if (step.do === 'redo') {
      const last = this.#undone.pop()
      if (last !== undefined) this.#done.push(last)
    } else {
      const next = this.mask.slice()
      next[step.at[0] + 8 * (step.at[1] + 6 * step.index)] = step.after
      this.#done.push(next)
      this.#undone = []
    }
  }
}

describe('kill -9 at any moment', () => {
  it(`loses no acknowledged stroke and keeps undo working, ${ROUNDS} times in a row`, async () => {
    const first = await openWithCase()
    const { caseId, dir } = first
    await first.backend.close()
    let oracle = new Oracle()
    const drawn: string[] = []
    let acknowledged = 0
    for (let round = 0; round < ROUNDS; round++) {
      const lines = await writeAndKill([dir, caseId, String(round + 1)], 5 + ((round * 37) % 120))
      let pending: Step | null = null
      let before = oracle
      for (const line of lines) {
        if (line === 'ok') {
          if (pending?.do === 'draw') drawn.push(pending.id)
          pending = null
          acknowledged++
        } else {
          pending = JSON.parse(line.slice('try '.length)) as Step
          before = oracle.copy()
          oracle.apply(pending)
        }
      }
      const test = await openBackend(dir)
      const mask = await readMaskOf(test, caseId)
      // The last step may have reached the disk without its answer; then it counts, else it never happened.
      if (pending !== null && !equal(mask, oracle.mask)) oracle = before
      expect(equal(mask, oracle.mask), `round ${round}`).toBe(true)
      await test.backend.close()
    }
    expect(acknowledged).toBeGreaterThan(ROUNDS)

    const project = openProject(dir)
    const journal = new Journal(project.db)
    expect(journal.verify()).toMatchObject({ broken: null })
    for (const id of drawn) expect(journal.findStroke(id)).not.toBeNull()
    project.close()
    const test = await openBackend(dir)
    for (let i = 0; i < 20; i++) {
      await test.call('annotation.undo', { caseId })
      oracle.apply({ do: 'undo' })
      expect(await readMaskOf(test, caseId)).toEqual(oracle.mask)
    }
  })
})

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
