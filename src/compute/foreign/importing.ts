import path from 'node:path'
import { rm } from 'node:fs/promises'
import { CodedError } from '../../core/contract/errors.ts'
import { sha256 } from '../models/checksums.ts'
import { readPart } from '../models/reading.ts'
import { importedCard, MAX_NETWORK_BYTES, readImported, writeImported } from './folder.ts'
import { samplePicture, someOf } from './sample.ts'
import type { ModelCard, NetworkFacts, NetworkMeaning } from '../../core/contract/compute.ts'
import type { ForeignEngine, ForeignModel } from './engine.ts'

export interface ImportOrder {
  readonly file: string
  readonly facts: NetworkFacts
  readonly outDir: string
  readonly modelId: string
  readonly createdAt: string
  readonly meaning: NetworkMeaning
  readonly values: readonly number[]
}

/** Of the largest value; another thread count, or ONNX Runtime elsewhere, adds up in another order. */
const TOLERANCE = 1e-3

/**
 * Makes a model folder of an inspected file, opens it and runs it again: what it gives must be what the file gave.
 * Throws CodedError: 'bad-file' where the file changed meanwhile, 'bad-request' where the meaning does not fit it,
 * 'verify-failed', and as writing does; there is no folder then.
 */
export async function importNetwork(
  engine: ForeignEngine,
  { file, facts, outDir, meaning, ...identity }: ImportOrder,
  versions: Record<string, string>,
): Promise<{ card: ModelCard; maxDifference: number }> {
  const card = importedCard(facts, { ...identity, meaning, versions })
  const bytes = await readPart(file, { most: MAX_NETWORK_BYTES })
  if (sha256(bytes) !== facts.sha256) {
    throw new CodedError('bad-file', `${path.basename(file)} changed since it was looked at; choose it again.`)
  }
  const written = await writeImported(outDir, bytes, card)
  try {
    const maxDifference = await difference(await engine.open(await readImported(outDir)), facts)
    if (maxDifference > TOLERANCE) {
      throw new CodedError(
        'verify-failed',
        `${path.basename(file)} gives something else once it is imported, so it was not; its results cannot be relied on.`,
        { detail: `The largest relative difference is ${maxDifference}.` },
      )
    }
    return { card: written, maxDifference }
  } catch (error) {
    await rm(outDir, { recursive: true, force: true })
    throw error
  }
}

/** Between what the file gave and what the written model gives now, relative to the largest value. */
async function difference({ foreign, card }: ForeignModel, { sample, use }: NetworkFacts): Promise<number> {
  try {
    const { width, height, values } = sample
    const picture = samplePicture(foreign.channels, width, height)
    const again = someOf(await foreign.raw(picture, [1, height, width, card.architecture.inputChannels]), values.length)
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6)
    if (again.length !== values.length) throw new Error(`The output "${use.output.name}" has another size.`)
    return values.reduce((most, value, i) => Math.max(most, Math.abs(value - (again[i] ?? NaN))), 0) / largest
  } finally {
    await foreign.dispose()
  }
}
