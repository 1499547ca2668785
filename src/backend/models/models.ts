import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { readModelCard, type ModelCard } from '../../core/contract/compute.ts'
import { CodedError } from '../../core/contract/errors.ts'
import { modelSummarySchema, type ModelSummary } from '../../core/contract/schemas.ts'
import type { Database } from '../project/database.ts'
import { flag, int, json, realOrNull, text, textOrNull, type Row } from '../project/rows.ts'
import { filesOf, hasReport, readModelFolder, stripFolder } from './folder.ts'
import { learnedCaseSchema, type LearnedCase, type LearnedSlice, type Origin } from './origin.ts'

export interface ModelRecord {
  readonly id: string
  readonly version: number
  /** The folder with card.json, and model.json and weights.bin or, of an imported network, model.onnx. */
  readonly dir: string
  readonly card: ModelCard
}

interface Description {
  readonly name?: string | undefined
  readonly notes?: string | undefined
  readonly tags?: readonly string[] | undefined
}

/** A row with what the latest judgement came to. */
const SELECT = `SELECT m.*, j.verdict, json_extract(j.judgement, '$.reason') AS reason, json_extract(j.judgement, '$.mean') AS mean
  FROM models m LEFT JOIN judgements j ON j.seq = (SELECT MAX(seq) FROM judgements WHERE model_id = m.id)`

const meanSchema = z.array(
  z.object({ label: z.int().nullable(), before: z.number().nullable(), after: z.number().nullable() }),
)

/** The model versions of a project: models/001, models/002 … At most one is active, which is the one in use. */
export class Models {
  readonly #db: Database
  readonly #dir: string
  /** Of folders, which do not change while their version is known. */
  readonly #bytes = new Map<string, number>()
  /** By version, by how many it is needed just now. */
  readonly #held = new Map<string, number>()

  constructor(db: Database, modelsDir: string) {
    this.#db = db
    this.#dir = modelsDir
  }

  /** By version, ascending. */
  list(): ModelSummary[] {
    return this.#db.all(`${SELECT} ORDER BY m.version`).map((row) => this.#summary(row))
  }

  active(): ModelRecord | null {
    const row = this.#db.get('SELECT * FROM models WHERE active = 1')
    return row === undefined ? null : this.#record(row)
  }

  activeId(): string | null {
    const row = this.#db.get('SELECT id FROM models WHERE active = 1')
    return row === undefined ? null : text(row, 'id')
  }

  /** Throws CodedError('not-found'). */
  get(id: string): ModelSummary {
    const row = this.#db.get(`${SELECT} WHERE m.id = ?`, id)
    if (row === undefined) throw new CodedError('not-found', 'This model is not in the project.')
    return this.#summary(row)
  }

  /** Of a version that can compute. Throws CodedError: 'not-found', 'file-missing' where its weights were deleted. */
  record(id: string): ModelRecord {
    const row = this.#row(id)
    if (flag(row, 'pruned')) throw prunedError(int(row, 'version'))
    return this.#record(row)
  }

  has(id: string): boolean {
    return this.#db.get('SELECT 1 AS found FROM models WHERE id = ?', id) !== undefined
  }

  /** What is known of how it was made, beside its card. Throws CodedError('not-found'). */
  origin(id: string): Omit<Origin, 'learned'> & { usedAt: string | null; card: ModelCard } {
    const row = this.#row(id)
    return {
      parentId: textOrNull(row, 'parent_id'),
      mode: modeOf(row),
      settings: z.record(z.string(), z.unknown()).parse(json(row, 'settings')),
      data: learnedCaseSchema.array().parse(json(row, 'data')),
      correctionBefore: realOrNull(row, 'correction_before'),
      correctionAfter: realOrNull(row, 'correction_after'),
      usedAt: textOrNull(row, 'used_at'),
      card: this.#record(row).card,
    }
  }

  /** The states of cases that it and its ancestors newly learned, as far as they are known, its own first. */
  learnedCases(id: string): LearnedCase[] {
    return this.#db
      .all(
        `WITH RECURSIVE line (data, parent_id, depth) AS (
           SELECT data, parent_id, 0 FROM models WHERE id = ?
           UNION ALL SELECT m.data, m.parent_id, depth + 1 FROM models m JOIN line ON m.id = line.parent_id)
         SELECT data FROM line ORDER BY depth`,
        id,
      )
      .flatMap((row) => learnedCaseSchema.array().parse(json(row, 'data')))
  }

  nextVersion(): number {
    const row = this.#db.get('SELECT COALESCE(MAX(version), 0) + 1 AS version FROM models')
    return row === undefined ? 1 : int(row, 'version')
  }

  dirOf(version: number): string {
    return join(this.#dir, String(version).padStart(3, '0'))
  }

  /**
   * Makes the complete model folder of `version` known, and the heir of what its parent learned; it is not used yet. In one
   * transaction, which joins that of the caller. Throws CodedError('bad-file') where the folder is not complete or its card
   * is not readable.
   */
  add(version: number, { parentId, learned, mode, settings, data, ...origin }: Origin): ModelSummary {
    const card = readModelFolder(this.dirOf(version))
    this.#db.transaction(() => {
      this.#db.run(
        `INSERT INTO models (id, version, parent_id, name, created_at, card, mode, settings, data, correction_before,
           correction_after) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        ...[card.id, version, parentId, card.name, card.createdAt, JSON.stringify(card), mode],
        ...[JSON.stringify(settings), JSON.stringify(data), origin.correctionBefore, origin.correctionAfter],
      )
      if (parentId !== null) {
        this.#db.run(
          'INSERT INTO learned SELECT ?, case_id, slice, changed_seq FROM learned WHERE model_id = ?',
          card.id,
          parentId,
        )
      }
      this.#learn(card.id, learned)
    })
    return this.get(card.id)
  }

  /** As `add`, and used at once, whatever else is: of a network that was not trained here. */
  register(version: number, mode: Origin['mode']): ModelSummary {
    return this.#db.transaction(() => {
      const blank = {
        parentId: null,
        learned: [],
        settings: {},
        data: [],
        correctionBefore: null,
        correctionAfter: null,
      }
      const { id } = this.add(version, { ...blank, mode })
      this.use(id)
      return this.get(id)
    })
  }

  /** The version is the one in use from now on. Throws CodedError: 'not-found', 'file-missing', 'bad-file'. */
  use(id: string): void {
    const { dir } = this.record(id)
    readModelFolder(dir)
    this.#db.transaction(() => {
      this.#db.run('UPDATE models SET active = 0 WHERE active = 1')
      this.#db.run(
        'UPDATE models SET active = 1, used_at = COALESCE(used_at, ?) WHERE id = ?',
        new Date().toISOString(),
        id,
      )
    })
  }

  /** How well what it newly learned was predicted before it and by it (`Origin`), where that was measured after it was added. */
  noteCorrections(
    id: string,
    { before, after }: { readonly before: number | null; readonly after: number | null },
  ): void {
    this.#db.run('UPDATE models SET correction_before = ?, correction_after = ? WHERE id = ?', before, after, id)
  }

  /** What the user says of it. */
  describe(id: string, { name, notes, tags }: Description): void {
    this.#row(id)
    this.#db.transaction(() => {
      if (name !== undefined) this.#db.run('UPDATE models SET display_name = ? WHERE id = ?', name, id)
      if (notes !== undefined) this.#db.run('UPDATE models SET notes = ? WHERE id = ?', notes, id)
      if (tags !== undefined) {
        this.#db.run('UPDATE models SET tags = ? WHERE id = ?', JSON.stringify([...new Set(tags)]), id)
      }
    })
  }

  /** Does something that reads the networks of versions again and again: until it has ended none of them is deleted. */
  async hold<T>(ids: readonly string[], work: () => Promise<T>): Promise<T> {
    const count = (id: string, more: number): void => {
      const left = (this.#held.get(id) ?? 0) + more
      if (left === 0) this.#held.delete(id)
      else this.#held.set(id, left)
    }
    for (const id of ids) count(id, 1)
    try {
      return await work()
    } finally {
      for (const id of ids) count(id, -1)
    }
  }

  /**
   * Deletes the networks of versions; what is known of them stays. Recorded first, so that a version is never taken for
   * whole that is half deleted; what a kill leaves is removed by `removeLeftOvers`. Throws CodedError: 'not-found'; 'conflict'
   * where the one in use is among them, or one that is held, and then none is deleted.
   */
  prune(ids: readonly string[]): { freedBytes: number } {
    const wanted = [...new Set(ids)]
    const rows = wanted.map((id) => this.#row(id))
    const used = rows.find((row) => flag(row, 'active'))
    if (used !== undefined) {
      throw new CodedError(
        'conflict',
        `Version ${int(used, 'version')} is in use, so it cannot be deleted; use another version first.`,
      )
    }
    const held = rows.find((row) => this.#held.has(text(row, 'id')))
    if (held !== undefined) {
      throw new CodedError(
        'conflict',
        `Version ${int(held, 'version')} is being compared, written or trained from; wait for the end of that, or cancel it.`,
      )
    }
    const before = rows.reduce((sum, row) => sum + this.#bytesOf(row), 0)
    this.#db.transaction(() => {
      for (const id of wanted) this.#db.run('UPDATE models SET pruned = 1 WHERE id = ?', id)
    })
    let left = 0
    for (const row of rows) {
      this.#bytes.delete(text(row, 'id'))
      const dir = this.dirOf(int(row, 'version'))
      stripFolder(dir)
      left += sizeOf(dir)
    }
    return { freedBytes: Math.max(0, before - left) }
  }

  /** The folder of a pruned version is whole again. */
  restore(id: string): void {
    const { version } = this.get(id)
    readModelFolder(this.dirOf(version))
    this.#bytes.delete(id)
    this.#db.run('UPDATE models SET pruned = 0 WHERE id = ?', id)
  }

  /** Removes what a killed training left: folders that are of no registered version, and what of pruned ones still lies there. */
  removeLeftOvers(): void {
    for (const path of this.#unregistered()) rmSync(path, { recursive: true, force: true })
    for (const row of this.#db.all('SELECT version FROM models WHERE pruned = 1')) {
      stripFolder(this.dirOf(int(row, 'version')))
    }
  }

  /** The complete folder of a model that was not registered before the workstation was killed; null where there is none. */
  strayOf(modelId: string): string | null {
    const isIt = (dir: string): boolean => {
      try {
        return readModelFolder(dir).id === modelId
      } catch {
        return false
      }
    }
    return this.#unregistered().find(isIt) ?? null
  }

  #learn(id: string, learned: readonly LearnedSlice[]): void {
    for (const { caseId, slice, changedSeq } of learned) {
      this.#db.run(
        'INSERT INTO learned VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET changed_seq = excluded.changed_seq',
        ...[id, caseId, slice, changedSeq],
      )
    }
  }

  #unregistered(): string[] {
    const known = new Set(this.#db.all('SELECT version FROM models').map((row) => this.dirOf(int(row, 'version'))))
    const names = existsSync(this.#dir) ? readdirSync(this.#dir) : []
    return names.map((name) => join(this.#dir, name)).filter((path) => !known.has(path))
  }

  #row(id: string): Row {
    const row = this.#db.get('SELECT * FROM models WHERE id = ?', id)
    if (row === undefined) throw new CodedError('not-found', 'This model is not in the project.')
    return row
  }

  #record(row: Row): ModelRecord {
    const version = int(row, 'version')
    const dir = this.dirOf(version)
    // Kept as it was when the model was registered; an older format is completed in memory.
    const card = readModelCard(text(row, 'card'), join(dir, 'card.json'))
    return { id: text(row, 'id'), version, dir, card }
  }

  #bytesOf(row: Row): number {
    if (flag(row, 'pruned')) return 0
    const id = text(row, 'id')
    const bytes = this.#bytes.get(id) ?? sizeOf(this.dirOf(int(row, 'version')))
    this.#bytes.set(id, bytes)
    return bytes
  }

  #summary(row: Row): ModelSummary {
    const { id, version, dir, card } = this.#record(row)
    const report = hasReport(dir)
    return {
      id,
      version,
      name: textOrNull(row, 'display_name') ?? card.name,
      parentId: textOrNull(row, 'parent_id'),
      createdAt: card.createdAt,
      active: flag(row, 'active'),
      parameters: card.parameters,
      imported: card.onnx !== undefined,
      ...(report ? { recipe: card.recipe ?? 'recipe' } : {}),
      report,
      labels: card.labels.map((label) => label.value),
      training: card.training,
      notes: text(row, 'notes'),
      tags: z.array(z.string()).parse(json(row, 'tags')),
      bytes: this.#bytesOf(row),
      pruned: flag(row, 'pruned'),
      mode: modeOf(row),
      judged: judgedOf(row),
    }
  }
}

function prunedError(version: number): CodedError {
  return new CodedError(
    'file-missing',
    `The weights of version ${version} were deleted to free space; import them from a file, or choose another version.`,
  )
}

function sizeOf(dir: string): number {
  return filesOf(dir).reduce((sum, { bytes }) => sum + bytes, 0)
}

function modeOf(row: Row): ModelSummary['mode'] {
  return modelSummarySchema.shape.mode.parse(text(row, 'mode'))
}

function judgedOf(row: Row): ModelSummary['judged'] {
  if (row.verdict === null || row.verdict === undefined) return null
  const whole = meanSchema.parse(json(row, 'mean')).find(({ label }) => label === null)
  return {
    verdict: modelSummarySchema.shape.judged.unwrap().shape.verdict.parse(text(row, 'verdict')),
    reason: text(row, 'reason'),
    diceBefore: whole?.before ?? null,
    diceAfter: whole?.after ?? null,
  }
}
