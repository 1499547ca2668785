import { randomUUID } from 'node:crypto'
import { basename } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import { classCounts, networkName, type NetworkFacts, type NetworkMeaning } from '../../core/contract/network.ts'
import type { ModelSummary } from '../../core/contract/schemas.ts'
import type { ComputePort } from '../compute/port.ts'
import { priorities, type Lane } from '../jobs/lane.ts'
import type { Labels } from '../project/labels.ts'
import type { Models } from './models.ts'

export interface ImporterParts {
  readonly compute: ComputePort
  readonly models: Models
  readonly labels: Labels
  readonly lane: Lane
}

/** Files that were looked at and may be imported next. */
const KEPT = 8

/** Takes segmentation networks from elsewhere, as ONNX files, into the project. */
export class Importer {
  readonly #parts: ImporterParts
  readonly #inspected = new Map<string, NetworkFacts>()

  constructor(parts: ImporterParts) {
    this.#parts = parts
  }

  /** What the file is. Throws CodedError: `bad-file` with the reason where it cannot be used, `cancelled`. */
  async inspect(path: string, signal: AbortSignal): Promise<{ name: string; facts: NetworkFacts }> {
    const facts = await this.#parts.compute.call('inspectNetwork', { file: path }, { signal })
    this.#inspected.delete(path)
    this.#inspected.set(path, facts)
    for (const oldest of this.#inspected.keys()) {
      if (this.#inspected.size <= KEPT) break
      this.#inspected.delete(oldest)
    }
    return { name: facts.stated.name ?? networkName(basename(path)), facts }
  }

  /**
   * Makes it the next version, and the active one. Labels that are new stay on the list only where that worked. Throws
   * CodedError: `bad-request` where the meaning does not fit the network, `bad-file` where the file changed, and as
   * writing does.
   */
  async import(path: string, meaning: NetworkMeaning, signal: AbortSignal): Promise<ModelSummary> {
    const { compute, models, lane } = this.#parts
    const facts = this.#inspected.get(path) ?? (await this.inspect(path, signal)).facts
    checkClasses(facts, meaning.classes)
    return await lane.run(priorities.visibleSlice, signal, async () => {
      models.removeLeftOvers()
      const { values, undo } = this.#labelsFor(meaning.classes)
      const version = models.nextVersion()
      const identity = { modelId: randomUUID(), createdAt: new Date().toISOString() }
      try {
        const order = { file: path, facts, outDir: models.dirOf(version), meaning, values, ...identity }
        // Not to be cancelled: it takes a moment, and half of it is nothing.
        await compute.call('importNetwork', order)
        return models.register(version, 'imported')
      } catch (error) {
        undo()
        throw error
      }
    })
  }

  /** A label of that name, whatever its case, or a new one. */
  #labelsFor(classes: readonly string[]): { values: number[]; undo: () => void } {
    const { labels } = this.#parts
    const added: number[] = []
    const undo = (): void => {
      for (const value of added) labels.setArchived(value, true)
    }
    try {
      const values = classes.map((name) => {
        const known = labels.list().find((label) => label.name.toLowerCase() === name.toLowerCase())
        if (known !== undefined) return known.value
        const { value } = labels.add(name, null)
        added.push(value)
        return value
      })
      return { values, undo }
    } catch (error) {
      undo()
      throw error
    }
  }
}

function checkClasses({ use }: NetworkFacts, classes: readonly string[]): void {
  const counts = classCounts(use)
  if (!counts.includes(classes.length)) {
    throw new CodedError(
      'bad-request',
      `The network tells ${counts.join(' or ')} classes apart, and ${classes.length} are named.`,
    )
  }
  const names = classes.map((name) => name.toLowerCase())
  const twice = classes.find((_, at) => names.indexOf(names[at] ?? '') !== at)
  if (twice !== undefined) {
    throw new CodedError('bad-request', `Two classes are called "${twice}"; give each a name of its own.`)
  }
}
