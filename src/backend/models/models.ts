import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import { readModelCard, type ModelCard } from '../../core/contract/compute.ts'
import type { ModelSummary } from '../../core/contract/schemas.ts'
import { hasReport } from './folder.ts'
import type { Database } from '../project/database.ts'
import { flag, int, text, type Row } from '../project/rows.ts'

/** A state of a slice that a model learned from. */
export interface LearnedSlice {
  readonly caseId: string
  readonly slice: number
  readonly changedSeq: number
}

export interface ModelRecord {
  readonly id: string
  readonly version: number
  /** The folder with card.json, and model.json and weights.bin or, of an imported network, model.onnx. */
  readonly dir: string
  readonly card: ModelCard
}

/** The model versions of a project: models/001, models/002 … One is active. */
export class Models {
  readonly #db: Database
  readonly #dir: string

  constructor(db: Database, modelsDir: string) {
    this.#db = db
    this.#dir = modelsDir
  }

  /** By version, ascending. */
  list(): ModelSummary[] {
    return this.#db.all('SELECT * FROM models ORDER BY version').map((row) => this.#summary(row))
  }

  active(): ModelRecord | null {
    const row = this.#db.get('SELECT * FROM models WHERE active = 1')
    return row === undefined ? null : this.#record(row)
  }

  activeId(): string | null {
    const row = this.#db.get('SELECT id FROM models WHERE active = 1')
    return row === undefined ? null : text(row, 'id')
  }

  nextVersion(): number {
    const row = this.#db.get('SELECT COALESCE(MAX(version), 0) + 1 AS version FROM models')
    return row === undefined ? 1 : int(row, 'version')
  }

  dirOf(version: number): string {
    return join(this.#dir, String(version).padStart(3, '0'))
  }

  /**
   * Makes the complete model folder of `version` known, active, and the heir of what its parent learned.
   * Throws CodedError: 'compute-failed' where the folder is not complete, 'bad-file' where its card is not readable.
   */
  register(version: number, parentId: string | null, learned: readonly LearnedSlice[]): ModelSummary {
    const card = readModelFolder(this.dirOf(version))
    this.#db.transaction(() => {
      this.#db.run('UPDATE models SET active = 0 WHERE active = 1')
      this.#db.run(
        'INSERT INTO models (id, version, parent_id, name, created_at, active, card) VALUES (?, ?, ?, ?, ?, 1, ?)',
        card.id,
        version,
        parentId,
        card.name,
        card.createdAt,
        JSON.stringify(card),
      )
      if (parentId !== null) {
        this.#db.run(
          'INSERT INTO learned SELECT ?, case_id, slice, changed_seq FROM learned WHERE model_id = ?',
          card.id,
          parentId,
        )
      }
      for (const { caseId, slice, changedSeq } of learned) {
        this.#db.run(
          'INSERT INTO learned VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET changed_seq = excluded.changed_seq',
          card.id,
          caseId,
          slice,
          changedSeq,
        )
      }
    })
    return this.get(card.id)
  }

  activate(id: string): ModelSummary {
    const model = this.get(id)
    readModelFolder(this.dirOf(model.version))
    this.#db.transaction(() => {
      this.#db.run('UPDATE models SET active = 0 WHERE active = 1')
      this.#db.run('UPDATE models SET active = 1 WHERE id = ?', id)
    })
    return this.get(id)
  }

  get(id: string): ModelSummary {
    const row = this.#db.get('SELECT * FROM models WHERE id = ?', id)
    if (row === undefined) throw new CodedError('not-found', 'This model is not in the project.')
    return this.#summary(row)
  }

  /** Removes what a killed training left: folders that are of no registered version. */
  removeLeftOvers(): void {
    for (const path of this.#unregistered()) rmSync(path, { recursive: true, force: true })
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

  #unregistered(): string[] {
    const known = new Set(this.#db.all('SELECT version FROM models').map((row) => this.dirOf(int(row, 'version'))))
    const names = existsSync(this.#dir) ? readdirSync(this.#dir) : []
    return names.map((name) => join(this.#dir, name)).filter((path) => !known.has(path))
  }

  #record(row: Row): ModelRecord {
    const version = int(row, 'version')
    const dir = this.dirOf(version)
    // Kept as it was when the model was registered; an older format is completed in memory.
    const card = readModelCard(text(row, 'card'), join(dir, 'card.json'))
    return { id: text(row, 'id'), version, dir, card }
  }

  #summary(row: Row): ModelSummary {
    const { id, version, dir, card } = this.#record(row)
    const parent = row.parent_id
    const report = hasReport(dir)
    return {
      id,
      version,
      name: card.name,
      parentId: typeof parent === 'string' ? parent : null,
      createdAt: card.createdAt,
      active: flag(row, 'active'),
      parameters: card.parameters,
      imported: card.onnx !== undefined,
      ...(report ? { recipe: card.recipe ?? 'recipe' } : {}),
      report,
      labels: card.labels.map((label) => label.value),
      training: card.training,
    }
  }
}

/**
 * The card of a complete model folder. Throws CodedError: 'bad-file' where a part is missing or the card is none that
 * this version reads. Whether the network fits it is found out by whoever loads it.
 */
export function readModelFolder(dir: string): ModelCard {
  const file = join(dir, 'card.json')
  refuseMissing(dir, ['card.json'])
  const card = readModelCard(readFileSync(file, 'utf8'), file)
  refuseMissing(dir, card.onnx === undefined ? ['model.json', 'weights.bin'] : ['model.onnx'])
  return card
}

function refuseMissing(dir: string, names: readonly string[]): void {
  const missing = names.find((name) => !existsSync(join(dir, name)))
  if (missing === undefined) return
  throw new CodedError('bad-file', `The model folder lacks "${missing}"; train or import again.`, { detail: dir })
}
