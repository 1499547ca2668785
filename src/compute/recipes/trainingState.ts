import { createHash } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { CodedError } from '../../core/contract/errors.ts'
import { codeOf } from '../models/reading.ts'
import { saveError, syncFolder } from '../models/saving.ts'

/**
 * What a training is after an epoch, in one file beside the model that will be: enough to go on from there to the same
 * numbers. The file is written aside, synced and renamed over the one before, so that whenever the process is killed there
 * is a whole one.
 */

const epochRecordSchema = z.object({
  /** 0: before the first step. */
  epoch: z.int().min(0),
  /** Steps done since the beginning. */
  steps: z.int().min(0),
  /** Mean over the steps of the epoch; null for epoch 0. */
  loss: z.number().nullable(),
  /** On the slices kept for validation; null where there are none. */
  valLoss: z.number().nullable(),
  val: z.record(z.string(), z.number()),
  /** Of the last step. */
  rate: z.number(),
  /** Since the training began, of all its runs. */
  seconds: z.number(),
})
export type EpochRecord = z.infer<typeof epochRecordSchema>

const headerSchema = z.object({
  modelId: z.string(),
  /** What the training was asked for, in parts that can be named (orderDigest.ts). */
  order: z.record(z.string(), z.string()),
  backend: z.string(),
  threads: z.int(),
  /** Patches a step: fewer than asked for where memory was short. */
  batch: z.int().min(1),
  /** Share of the planned training that is done, 0 to 1: ahead of the steps where the time is bounded. */
  done: z.number(),
  history: z.array(epochRecordSchema).min(1),
  /** Places of the slices that are shown after each epoch, among those that are measured. */
  shown: z.array(z.int().min(0)),
  /** Of the best validation so far. */
  best: z.object({ epoch: z.int(), score: z.number(), loss: z.number() }).nullable(),
})
const tensorNames = ['weights', 'averages', 'optimizer', 'best'] as const
type TensorName = (typeof tensorNames)[number]
const fileHeaderSchema = headerSchema.extend({
  /** Lengths of the arrays, by what they are, in the order in which they follow. */
  lengths: z.record(z.enum(tensorNames), z.array(z.int().min(0))),
})

export type TrainingStateHeader = z.infer<typeof headerSchema>
export interface TrainingState extends TrainingStateHeader {
  /** Of the network, moving statistics included. */
  readonly weights: readonly Float32Array[]
  /** Empty where weights are not averaged. */
  readonly averages: readonly Float32Array[]
  readonly optimizer: readonly Float32Array[]
  /** Empty where no best weights are kept. */
  readonly bestWeights: readonly Float32Array[]
}

const MAGIC = 'MASKWRIGHT-TRAINING-1\n'
const FILE = 'state.bin'
const HASH_BYTES = 32

/** The folder beside OUT in which a training keeps what it needs to go on. */
export function trainingFolder(outDir: string): string {
  return `${path.resolve(outDir)}.training`
}

/** Throws CodedError: 'disk-full', 'no-permission', 'not-saved'; the state before is then still there. */
export async function writeState(folder: string, state: TrainingState): Promise<void> {
  const { weights, averages, optimizer, bestWeights, ...header } = state
  const parts: Record<TensorName, readonly Float32Array[]> = { weights, averages, optimizer, best: bestWeights }
  const lengths = Object.fromEntries(tensorNames.map((name) => [name, parts[name].map(({ length }) => length)]))
  const text = Buffer.from(JSON.stringify({ ...header, lengths }))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(text.length)
  const temporary = path.join(folder, `${FILE}.tmp`)
  try {
    await mkdir(folder, { recursive: true })
    const handle = await open(temporary, 'w')
    try {
      const hash = createHash('sha256')
      const write = async (bytes: Uint8Array): Promise<void> => {
        for (let at = 0; at < bytes.length;) at += (await handle.write(bytes, at)).bytesWritten
      }
      const begin = Buffer.concat([Buffer.from(MAGIC), length, text])
      hash.update(begin)
      await write(begin)
      for (const name of tensorNames) {
        for (const { buffer, byteOffset, byteLength } of parts[name]) {
          const bytes = new Uint8Array(buffer, byteOffset, byteLength)
          hash.update(bytes)
          await write(bytes)
        }
      }
      await write(hash.digest())
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, path.join(folder, FILE))
    await syncFolder(folder)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw saveError(folder, error, 'the state of the training')
  }
}

/** null where there is none. Throws CodedError('bad-file') where it is damaged. */
export async function readState(folder: string): Promise<TrainingState | null> {
  const file = path.join(folder, FILE)
  let bytes: Uint8Array
  try {
    const read = await readFile(file)
    bytes = new Uint8Array(read.buffer, read.byteOffset, read.byteLength)
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return null
    throw damaged(file, error)
  }
  try {
    return parseState(bytes)
  } catch (error) {
    throw damaged(file, error)
  }
}

function parseState(bytes: Uint8Array): TrainingState {
  const end = bytes.length - HASH_BYTES
  const sum = createHash('sha256')
    .update(bytes.subarray(0, Math.max(0, end)))
    .digest()
  if (end < MAGIC.length + 4 || !sum.equals(bytes.subarray(end))) throw new Error('The checksum does not fit.')
  if (Buffer.from(bytes.subarray(0, MAGIC.length)).toString() !== MAGIC) throw new Error('It is of another format.')
  const at = MAGIC.length + 4
  const headerLength = new DataView(bytes.buffer, bytes.byteOffset + MAGIC.length, 4).getUint32(0, true)
  const header: unknown = JSON.parse(Buffer.from(bytes.subarray(at, at + headerLength)).toString())
  const { lengths, ...known } = fileHeaderSchema.parse(header)
  let offset = at + headerLength
  const take = (name: TensorName): Float32Array[] =>
    lengths[name].map((length) => {
      const values = new Float32Array(bytes.slice(offset, offset + 4 * length).buffer)
      if (values.length !== length) throw new Error('It is cut off.')
      offset += 4 * length
      return values
    })
  const [weights, averages, optimizer, bestWeights] = [
    take('weights'),
    take('averages'),
    take('optimizer'),
    take('best'),
  ]
  if (offset !== end) throw new Error('It is too long.')
  return { ...known, weights, averages, optimizer, bestWeights }
}

function damaged(file: string, cause: unknown): CodedError {
  return new CodedError(
    'bad-file',
    `${file} cannot be read, so that the training cannot go on; delete the folder it lies in and begin again.`,
    { cause, detail: String(cause) },
  )
}
