import { judgementSchema, type Judgement } from '../../core/contract/learning.ts'
import type { Database } from '../project/database.ts'
import { json } from '../project/rows.ts'

/** How versions were held against others. Append-only: a later judgement of the same version stands beside the earlier ones. */
export class Judgements {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Joins the transaction of the caller. */
  add(judgement: Judgement): void {
    const { modelId, againstId, holdoutId, judgedAt, verdict } = judgement
    this.#db.run(
      'INSERT INTO judgements (model_id, against_id, holdout_id, judged_at, verdict, judgement) VALUES (?, ?, ?, ?, ?, ?)',
      ...[modelId, againstId, holdoutId, judgedAt, verdict, JSON.stringify(judgement)],
    )
  }

  /** Mean Dice on the hold-out, as it was found last: judged itself, or another against it. */
  score(modelId: string): { holdoutDice: number; holdoutId: string | null } | null {
    const rows = this.#db.all(
      'SELECT judgement FROM judgements WHERE model_id = ? OR against_id = ? ORDER BY seq DESC',
      modelId,
      modelId,
    )
    for (const row of rows) {
      const { modelId: judged, holdoutId, mean } = judgementSchema.parse(json(row, 'judgement'))
      const whole = mean.find(({ label }) => label === null)
      const holdoutDice = (judged === modelId ? whole?.after : whole?.before) ?? null
      if (holdoutDice !== null) return { holdoutDice, holdoutId }
    }
    return null
  }

  latest(modelId: string): Judgement | null {
    return this.of(modelId)[0] ?? null
  }

  /** The latest first. That it waited is left out where it was judged since. */
  of(modelId: string): Judgement[] {
    return this.#db
      .all('SELECT judgement FROM judgements WHERE model_id = ? ORDER BY seq DESC', modelId)
      .map((row) => judgementSchema.parse(json(row, 'judgement')))
      .filter(({ verdict }, at) => at === 0 || verdict !== 'waiting')
  }
}
