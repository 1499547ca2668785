import { randomUUID } from 'node:crypto'
import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { recipeOrderSchema, type RecipeOrder } from '../../core/contract/compute.ts'
import type { RecipeTraining } from '../../core/contract/projectRecipe.ts'
import { recipeEventSchema, type RecipeEvent } from '../../core/contract/recipes.ts'
import { storageError } from '../errors.ts'
import { parsed } from './parsed.ts'

/** What a training is to make, decided once: resumed, it makes the same. */
const orderFileSchema = z.object({
  id: z.string(),
  order: recipeOrderSchema,
  modelId: z.string(),
  name: z.string(),
  createdAt: z.string(),
})
type OrderFile = z.infer<typeof orderFileSchema>

export type TrainingState = Omit<RecipeTraining, 'choice' | 'id'>

const ORDER = 'order.json'
const EVENTS = 'events.jsonl'
const MODEL = 'model'
/** What compute needs to go on, beside the model that it will write. */
const KEPT = `${MODEL}.training`

/**
 * A training by a recipe while it is not finished: `trainings/ID` in the project, with its order, what it told, and, beside
 * the model that it will write, what compute needs to go on.
 */
export class TrainingRecord {
  readonly #dir: string
  #file: OrderFile
  #state: TrainingState

  private constructor(dir: string, file: OrderFile, state: TrainingState) {
    this.#dir = dir
    this.#file = file
    this.#state = state
  }

  static begin(folder: string, order: RecipeOrder, jobId: string): TrainingRecord {
    const id = randomUUID()
    const dir = join(folder, id)
    const createdAt = new Date().toISOString()
    const file = { id, order, modelId: randomUUID(), name: order.recipe.title, createdAt }
    try {
      mkdirSync(dir, { recursive: true })
      writeDurably(join(dir, ORDER), JSON.stringify(file))
    } catch (error) {
      rmSync(dir, { recursive: true, force: true })
      throw storageError(error, dir)
    }
    return new TrainingRecord(dir, file, { ...blank, jobId, state: 'queued' })
  }

  /**
   * The one that was cut off last; what cannot be gone on with is removed. Null where there is none. `strayOf` gives the
   * folder of a model that was moved to the versions and did not become one: it belongs back here.
   */
  static find(folder: string, strayOf: (modelId: string) => string | null): TrainingRecord | null {
    const records: TrainingRecord[] = []
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      const record = TrainingRecord.#read(join(folder, name))
      const stray = record === null || record.isWritten ? null : strayOf(record.#file.modelId)
      if (record !== null && stray !== null) renameSync(stray, record.modelDir)
      if (record?.canResume === true) records.push(record)
      // Hours of work that only this version cannot read are left alone.
      else if (record !== null || !existsSync(join(folder, name, KEPT))) {
        rmSync(join(folder, name), { recursive: true, force: true })
      }
    }
    records.sort((a, b) => b.createdAt.localeCompare(a.createdAt))
    for (const older of records.slice(1)) older.remove()
    return records[0] ?? null
  }

  static #read(dir: string): TrainingRecord | null {
    try {
      const file = orderFileSchema.parse(JSON.parse(readFileSync(join(dir, ORDER), 'utf8')))
      // No job of this run; nothing can be cancelled by it.
      const record = new TrainingRecord(dir, file, { ...blank, jobId: file.id, state: 'interrupted' })
      for (const event of readEvents(join(dir, EVENTS))) record.#take(event)
      return record
    } catch {
      return null
    }
  }

  get id(): string {
    return this.#file.id
  }

  get createdAt(): string {
    return this.#file.createdAt
  }

  /** What compute is asked to train. */
  get order(): Omit<OrderFile, 'id' | 'order'> & RecipeOrder & { outDir: string } {
    const { order, modelId, name, createdAt } = this.#file
    return { ...order, modelId, name, createdAt, outDir: this.modelDir }
  }

  get modelDir(): string {
    return join(this.#dir, MODEL)
  }

  /** There are epochs to go on from, or the whole model, which only has to be taken over. */
  get canResume(): boolean {
    return this.isWritten || existsSync(join(this.#dir, KEPT))
  }

  get isWritten(): boolean {
    return existsSync(join(this.modelDir, 'card.json'))
  }

  get state(): RecipeTraining {
    const { recipe, dataDir: _, ...choice } = this.#file.order
    return { ...this.#state, id: this.id, choice: { ...choice, recipe: recipe.name } }
  }

  set(change: Partial<TrainingState>): void {
    this.#state = { ...this.#state, ...change }
  }

  /** Remembers what the training told. Throws what the disk says, after the state in memory has it. */
  note(event: RecipeEvent): void {
    this.#take(event)
    const { pictures: _, ...lean } = event.event === 'epoch' ? event : { ...event, pictures: undefined }
    // On a line of its own also after one that was cut off.
    appendFileSync(join(this.#dir, EVENTS), `\n${JSON.stringify(lean)}\n`)
  }

  /** The data lies elsewhere by now; whether it is the same is for compute to say. Throws what the disk says. */
  moveTo(dataDir: string): void {
    const file = { ...this.#file, order: { ...this.#file.order, dataDir } }
    try {
      writeDurably(join(this.#dir, ORDER), JSON.stringify(file))
    } catch (error) {
      throw storageError(error, this.#dir)
    }
    this.#file = file
  }

  remove(): void {
    rmSync(this.#dir, { recursive: true, force: true })
  }

  #take(event: RecipeEvent): void {
    if (event.event === 'start') {
      const { event: _, ...start } = event
      // What comes after the epoch that it goes on from is done again.
      const epochs = this.#state.epochs.filter(({ epoch }) => epoch < start.from)
      this.set({ start, epochs, scoring: null, metrics: null })
    } else if (event.event === 'epoch') {
      const { event: _, pictures, ...epoch } = event
      const epochs = [...this.#state.epochs.filter((one) => one.epoch < epoch.epoch), epoch]
      this.set({ epochs })
      if (pictures !== undefined && pictures.length > 0) this.set({ pictures: { epoch: epoch.epoch, list: pictures } })
    } else if (event.event === 'scoring') this.set({ scoring: { done: event.done, of: event.of } })
    else this.set({ metrics: event.metrics })
  }
}

const blank = {
  start: null,
  epochs: [],
  pictures: null,
  scoring: null,
  metrics: null,
  error: null,
  modelId: null,
} satisfies Partial<TrainingState>

/** A last line that a crash cut off is left out. */
function readEvents(file: string): RecipeEvent[] {
  if (!existsSync(file)) return []
  const events: RecipeEvent[] = []
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const event = recipeEventSchema.safeParse(parsed(line))
    if (event.success) events.push(event.data)
  }
  return events
}

function writeDurably(file: string, content: string): void {
  const making = `${file}.new`
  writeFileSync(making, content)
  const handle = openSync(making, 'r+')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  renameSync(making, file)
}
