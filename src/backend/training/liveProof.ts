import { CodedError } from '../../core/contract/errors.ts'
import type { ComputePort, ComputeResult } from '../compute/port.ts'
import type { EventHub } from '../events.ts'
import { priorities, type Lane } from '../jobs/lane.ts'
import type { Models } from '../models/models.ts'
import type { Promotion } from '../models/promotion.ts'
import type { Database } from '../project/database.ts'
import { int } from '../project/rows.ts'
import { pooledDice } from './correction.ts'
import type { FreshLesson } from './liveLessons.ts'
import type { KeptVersion } from './liveTraining.ts'

export interface LiveProofParts {
  readonly db: Database
  readonly models: Models
  readonly promotion: Promotion
  readonly compute: ComputePort
  readonly lane: Lane
  readonly events: EventHub
  readonly log: (line: string) => void
}

type Overlaps = ComputeResult<'score'>['slices'][number]['overlaps']

/** Interruptions of one and the same slice after which its corrections stay unmeasured: it takes longer than anybody rests. */
const MOST_INTERRUPTIONS = 5

/**
 * What is found out about a version of Live after it is safe on disk and registered: how well it predicts what it learned, and
 * whether it is better than the one in use. All of it can be interrupted, and goes on where it was.
 */
export class LiveProof {
  readonly #parts: LiveProofParts
  #version: KeptVersion | null = null
  /** What it newly learned and was not measured yet. */
  #left: FreshLesson[] = []
  #before: Overlaps[] = []
  #after: Overlaps[] = []
  #interruptions = 0

  constructor(parts: LiveProofParts) {
    this.#parts = parts
  }

  /** The version that waits for it. */
  get pending(): string | null {
    return this.#version?.id ?? null
  }

  begin(version: KeptVersion): void {
    this.#version = version
    this.#left = [...version.fresh]
    this.#before = []
    this.#after = []
    this.#interruptions = 0
  }

  /**
   * Whether it is in use then. Throws CodedError: `cancelled`, after which it can go on; anything else ends it, and it stays
   * unjudged.
   */
  async run(signal: AbortSignal): Promise<boolean> {
    const version = this.#version
    if (version === null) return false
    try {
      await this.#measure(version, signal)
      const { active } = await this.#parts.promotion.settle(version.id, { signal })
      this.#version = null
      return active
    } catch (error) {
      if (!isCancelled(error)) this.#version = null
      throw error
    }
  }

  /** Told beside the curves; nothing hangs on it, so that what fails is left out. */
  async #measure({ id, dir, parentDir }: KeptVersion, signal: AbortSignal): Promise<void> {
    const { models, events, log } = this.#parts
    const measured = this.#left.length > 0
    for (let next = this.#left[0]; next !== undefined; next = this.#left[0]) {
      try {
        // Drawn on since: it says nothing any more of what was learned.
        if (this.#isSame(next)) {
          const before = parentDir === null ? null : await this.#score(parentDir, next, signal)
          this.#after.push(await this.#score(dir, next, signal))
          if (before !== null) this.#before.push(before)
        }
        this.#left.shift()
        this.#interruptions = 0
      } catch (error) {
        if (isCancelled(error) && ++this.#interruptions < MOST_INTERRUPTIONS) throw error
        if (!isCancelled(error)) log(`score of ${dir}: ${String(error)}`)
        // Of the rest nothing is known, and a part of them is not what was asked for.
        this.#left = []
        this.#after = []
        this.#before = []
        if (isCancelled(error)) throw error
      }
    }
    if (!measured || this.#after.length === 0) return
    models.noteCorrections(id, {
      before: parentDir === null ? null : pooledDice(this.#before),
      after: pooledDice(this.#after),
    })
    events.emit('models.changed', { models: models.list() })
  }

  #isSame({ learned: { caseId, slice, changedSeq } }: FreshLesson): boolean {
    const row = this.#parts.db.get('SELECT changed_seq FROM slice_state WHERE case_id = ? AND slice = ?', caseId, slice)
    return row !== undefined && int(row, 'changed_seq') === changedSeq
  }

  async #score(modelDir: string, { sample }: FreshLesson, signal: AbortSignal): Promise<Overlaps> {
    const { compute, lane } = this.#parts
    const { slices } = await lane.run(priorities.live, signal, () =>
      compute.call('score', { modelDir, kept: [sample] }, { signal }),
    )
    return slices[0]?.overlaps ?? []
  }
}

function isCancelled(error: unknown): boolean {
  return error instanceof CodedError && error.code === 'cancelled'
}
