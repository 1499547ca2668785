import { z } from 'zod'
import { queuedSliceSchema, type Queue, type QueuedSlice } from '../../core/contract/learning.ts'
import { rankCases } from '../../core/learning/ranking.ts'
import type { EventPayload } from '../../core/contract/events.ts'
import type { EventHub } from '../events.ts'
import type { Database } from '../project/database.ts'
import { HELD_OUT } from '../project/heldOut.ts'
import { json } from '../project/rows.ts'
import type { Examined } from './examined.ts'

/** Slices that `queue.changed` tells of. */
const TOLD = 200

const rankedSchema = z.object({ modelId: z.string(), rankedAt: z.string(), slices: z.array(queuedSliceSchema) })
export type Ranked = z.infer<typeof rankedSchema>

/** What to look at next, kept in the project as it was ranked; what was dealt with since is left out as it is read. */
export class ReviewQueue {
  readonly #db: Database
  readonly #events: EventHub
  readonly #examined: Examined
  #ranked: Ranked | null
  /** What was told last, to tell only what has changed. */
  #told: string
  #cases = -1

  constructor(parts: { readonly db: Database; readonly events: EventHub; readonly examined: Examined }) {
    this.#db = parts.db
    this.#events = parts.events
    this.#examined = parts.examined
    this.#ranked = this.#read()
    this.#told = placesOf(this.get(TOLD))
    parts.events.on((name, payload) => {
      // A slice was corrected, a case removed or set aside, or any of it taken back.
      if (name === 'case.slices' || name === 'holdout.changed') this.#tell()
      if (name === 'project.changed') this.#casesChanged((payload as EventPayload<'project.changed'>).cases.length)
    })
  }

  get rankedBy(): string | null {
    return this.#ranked?.modelId ?? null
  }

  get(limit: number): Queue {
    if (this.#ranked === null) return { modelId: null, rankedAt: null, slices: [], cases: [] }
    const { modelId, rankedAt } = this.#ranked
    const slices = this.#open(this.#ranked.slices)
    return { modelId, rankedAt, slices: slices.slice(0, limit), cases: rankCases(slices) }
  }

  replace(ranked: Ranked): void {
    this.#db.run(
      `INSERT INTO meta VALUES ('queue', ?) ON CONFLICT DO UPDATE SET value = excluded.value`,
      JSON.stringify(ranked),
    )
    this.#ranked = ranked
    this.#told = ''
    this.#tell()
  }

  /** Told after every stroke; a case was removed or came back only where there are more or fewer. */
  #casesChanged(count: number): void {
    if (count === this.#cases) return
    this.#cases = count
    this.#tell()
  }

  #tell(): void {
    if (this.#ranked === null) return
    const queue = this.get(TOLD)
    const places = placesOf(queue)
    if (places === this.#told) return
    this.#told = places
    this.#events.emit('queue.changed', queue)
  }

  #open(slices: readonly QueuedSlice[]): QueuedSlice[] {
    const settled = this.#examined.settled()
    const there = new Set(
      this.#db.all(`SELECT id FROM cases c WHERE removed = 0 AND NOT ${HELD_OUT}`).map((row) => row.id),
    )
    return slices.filter(({ caseId, index }) => there.has(caseId) && settled.get(caseId)?.has(index) !== true)
  }

  #read(): Ranked | null {
    const row = this.#db.get(`SELECT value FROM meta WHERE key = 'queue'`)
    return row === undefined ? null : rankedSchema.parse(json(row, 'value'))
  }
}

function placesOf({ modelId, rankedAt, slices }: Queue): string {
  return [modelId, rankedAt, ...slices.map(({ caseId, index }) => `${caseId} ${index}`)].join()
}
