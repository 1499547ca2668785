import { trainingCost } from '../runtime/cost.ts'
import { releaseIdle } from '../runtime/deviceMemory.ts'
import { backendLost, unlessOutOfMemory } from '../runtime/failures.ts'
import { budgetOf, collectGarbage, readMemory } from '../runtime/memory.ts'
import { fitBatch, smallerBatch } from '../runtime/plan.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { Budget } from '../runtime/memory.ts'
import type { BatchSize } from '../runtime/plan.ts'

/** How large the steps of a training are, by what memory allows. */
export interface TrainingRoom {
  /** What fits now; it may get smaller, never larger. */
  readonly size: BatchSize
  /**
   * One step. Where it runs out of memory, `changed` is called with `size` smaller than before, and the step is done
   * again: what failed has updated no weights (moving statistics have seen its patches once more). Throws
   * CodedError('backend-lost') when nothing smaller is left.
   */
  run(step: () => Promise<number>, changed?: () => void): Promise<number>
}

const TOO_LITTLE = 'There is too little memory to train even on one small patch'

/** Measures what a step costs and fits the wanted size; `given` goes before the memory that there is (tests). */
export async function trainingRoom(
  network: LayersModel,
  networkStep: number,
  wanted: BatchSize,
  notify: ((message: string) => void) | undefined,
  given?: Budget,
): Promise<TrainingRoom> {
  const cost = await unlessOutOfMemory(() => trainingCost(network, networkStep))
  if (cost === null) throw backendLost(TOO_LITTLE)
  const fitted = (budget: Budget): BatchSize | null => fitBatch(cost, budget, wanted, networkStep)
  let size = fitted(given ?? budgetOf(readMemory()))
  if (given === undefined && !same(size, wanted)) {
    releaseIdle()
    collectGarbage()
    size = fitted(budgetOf(readMemory()))
  }
  // The estimate leaves room: the least is worth a try before giving up.
  let current = size ?? leastOf(wanted, networkStep)
  const tell = () => notify?.(words(wanted, current))
  if (!same(current, wanted)) tell()
  return {
    get size() {
      return current
    },
    async run(step, changed) {
      for (;;) {
        const loss = await unlessOutOfMemory(step)
        if (loss !== null) return loss
        const smaller = smallerBatch(current, networkStep)
        if (smaller === null) throw backendLost(TOO_LITTLE)
        releaseIdle()
        collectGarbage()
        current = smaller
        changed?.()
        tell()
      }
    },
  }
}

function same(a: BatchSize | null, b: BatchSize): boolean {
  return a?.count === b.count && a.size === b.size
}

function leastOf(wanted: BatchSize, step: number): BatchSize {
  let least = wanted
  for (let next = smallerBatch(least, step); next !== null; next = smallerBatch(least, step)) least = next
  return least
}

function words(wanted: BatchSize, { count, size }: BatchSize): string {
  const patches = count === 1 ? 'one patch' : `${count} patches`
  const smaller = size < wanted.size ? ` of ${size} x ${size} pixels` : ''
  return `Memory is short: each step of the training sees ${patches}${smaller}, fewer than usual, so that it may learn less.`
}
