import { writeSync } from 'node:fs'
import { createBackend } from '../createBackend.ts'
import { FakeCompute } from './fakeCompute.ts'
import { rectangle } from './fixtures.ts'

/**
 * Run as a process of its own by the durability test: draws, undoes and redoes without end in the project of its first
 * argument, and says on stdout what it is about to do ("try …") and what was acknowledged ("ok"). It is killed.
 */

/** What the test needs to do the same to a mask of its own. */
export type Step =
  | { readonly do: 'undo' }
  | { readonly do: 'redo' }
  | {
      readonly do: 'draw'
      readonly id: string
      readonly index: number
      readonly at: [number, number]
      readonly after: number
    }

async function main(projectDir: string, caseId: string, seed: number): Promise<void> {
  const backend = await createBackend({ projectDir, compute: new FakeCompute(), version: '0', shell: 'test' })
  const { handlers } = backend
  const context = { signal: new AbortController().signal, sessionId: 'writer' }
  let state = seed
  const random = (below: number): number => {
    // Numerical Recipes' linear congruential generator: any even mixture will do.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const say = (line: string): number => writeSync(1, `${line}\n`)
  for (;;) {
    const turn = random(10)
    if (turn < 2) {
      const kind = turn === 0 ? 'undo' : 'redo'
      say(`try ${JSON.stringify({ do: kind } satisfies Step)}`)
      await handlers[`annotation.${kind}`]({ caseId }, context)
      say('ok')
      continue
    }
    // One voxel row whose label is asked for first, so that `before` is right.
    const [index, x, y] = [random(5), random(8), random(6)]
    const { data } = await handlers['annotation.slice']({ caseId, axis: 2, index, layer: 'mask' }, context)
    const before = data[x + 8 * y] ?? 0
    const after = (before + 1 + random(2)) % 3
    const delta = rectangle({ index, at: [x, y], size: [1, 1], before, after })
    say(`try ${JSON.stringify({ do: 'draw', id: delta.id, index, at: [x, y], after } satisfies Step)}`)
    await handlers['annotation.commit']({ caseId, delta }, context)
    say('ok')
  }
}

const [projectDir = '', caseId = '', seed = '1'] = process.argv.slice(2)
await main(projectDir, caseId, Number(seed))
