import path from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import { parseCard } from '../models/card.ts'
import { sealOf, sha256 } from '../models/checksums.ts'
import { readPart, refusal } from '../models/reading.ts'
import { writeFolder } from '../models/saving.ts'
import { isImported } from './network.ts'
import type { ModelCard, NetworkFacts, NetworkMeaning } from '../../core/contract/compute.ts'
import type { ImportedCard } from './network.ts'

/** Beside card.json in the folder of a network from elsewhere. */
export const NETWORK_FILE = 'model.onnx'
export const MAX_NETWORK_BYTES = 2 ** 30
const MAX_CARD_BYTES = 2 ** 20

/** The files of such a folder, found to belong together. */
export interface ImportedFiles {
  readonly dir: string
  readonly card: ImportedCard
  readonly bytes: Uint8Array
  /** The same for the same content, wherever it lies. */
  readonly content: string
}

interface Identity {
  readonly modelId: string
  readonly createdAt: string
  readonly meaning: NetworkMeaning
  readonly values: readonly number[]
  readonly versions: Record<string, string>
}

/**
 * The card of a network from elsewhere. Throws CodedError('bad-request') where the classes are not as many as its channels
 * (or one fewer, the first being background), or two have one value.
 */
export function importedCard(facts: NetworkFacts, identity: Identity): ImportedCard {
  const { modelId, createdAt, meaning, values, versions } = identity
  const { use, step, base, inputChannels, parameters } = facts
  const { classes, input, spacing, name } = meaning
  checkClasses(facts, classes.length, values)
  checkInput(facts, input)
  return {
    format: 3,
    id: modelId,
    parentId: null,
    name,
    createdAt,
    labels: classes.map((called, i) => ({ value: values[i] ?? 0, name: called })),
    background: { channel: classes.length < use.output.channels ? 0 : null, value: 0 },
    architecture: { name: 'onnx', levels: Math.min(12, Math.round(Math.log2(step))), base, inputChannels, step },
    parameters,
    input,
    spacing: spacing === null ? null : { plane: 'stored', ...spacing, samples: null },
    recipe: 'import',
    ...{ data: null, training: null, run: null },
    versions,
    checksums: null,
    onnx: use,
  }
}

function checkClasses({ use }: NetworkFacts, count: number, values: readonly number[]): void {
  const { channels } = use.output
  const fits = use.classes === 'independent' ? [channels, channels - 1] : [channels - 1]
  if (!fits.includes(count)) {
    const wanted = fits.filter((each) => each > 0).join(' or ')
    throw new CodedError('bad-request', `The network tells ${wanted} classes apart, and ${count} were named.`)
  }
  if (values.length !== count || new Set(values).size !== count) {
    throw new CodedError('bad-request', 'Each class must have a label of its own.')
  }
}

function checkInput(
  { inputChannels }: NetworkFacts,
  { colour, standardize, normalization }: NetworkMeaning['input'],
): void {
  if (colour.kind === 'rgb' && inputChannels === 1) {
    throw new CodedError('bad-request', 'The network takes grey images, so colour must become grey.')
  }
  if (normalization.kind === 'window' && normalization.to <= normalization.from) {
    throw new CodedError('bad-request', 'The window of intensities must end above where it begins.')
  }
  const counts = [standardize?.mean.length ?? 1, standardize?.deviation.length ?? 1]
  if (counts.some((count) => count !== 1 && count !== inputChannels)) {
    throw new CodedError('bad-request', `Mean and deviation must be one number, or ${inputChannels} of them.`)
  }
}

/**
 * Writes a complete folder at `dir`, which must not exist, or nothing; returns the card as written. Throws CodedError as
 * writeFolder does.
 */
export async function writeImported(dir: string, bytes: Uint8Array, card: ImportedCard): Promise<ImportedCard> {
  const sum = sha256(bytes)
  const sealed = { ...card, checksums: { topology: sum, weights: sum, card: '' } }
  const written = { ...sealed, checksums: { ...sealed.checksums, card: sealOf(sealed) } }
  await writeFolder(dir, { [NETWORK_FILE]: bytes, 'card.json': `${JSON.stringify(written, null, 2)}\n` })
  return written
}

/** The card of any model folder. Throws CodedError('bad-file'). */
export async function readFolderCard(dir: string): Promise<ModelCard> {
  const file = path.join(dir, 'card.json')
  const text = await readPart(file, { most: MAX_CARD_BYTES })
  return parseCard(Buffer.from(text).toString('utf8'), file)
}

/** Throws CodedError('bad-file') with one sentence that names the file, says what is wrong and what to do. */
export async function readImported(dir: string): Promise<ImportedFiles> {
  const file = path.join(dir, NETWORK_FILE)
  const card = await readFolderCard(dir)
  if (!isImported(card)) throw refusal(path.join(dir, 'card.json'), 'is not the card of an imported network', 'foreign')
  const labelled = card.labels.length + (card.background.channel === 0 ? 1 : 0)
  if (
    labelled !== card.onnx.output.channels ||
    new Set(card.labels.map(({ value }) => value)).size !== card.labels.length
  ) {
    throw refusal(path.join(dir, 'card.json'), 'names other classes than the network has', 'foreign')
  }
  const bytes = await readPart(file, { most: MAX_NETWORK_BYTES })
  const sum = sha256(bytes)
  if (card.checksums !== null && card.checksums.topology !== sum) {
    throw refusal(file, 'is damaged or belongs to another model', 'damaged')
  }
  return { dir, card, bytes, content: sha256(JSON.stringify(card), sum) }
}
