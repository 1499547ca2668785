import { mkdir } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { ComputePort } from '../../backend/index.ts'
import type { ModelCard } from '../../core/contract/compute.ts'
import { CodedError, type ErrorCode } from '../../core/contract/errors.ts'
import { inferenceSettingsSchema } from '../../core/contract/recipes.ts'
import { maskExtension, readImage, stemOf } from '../../imaging/index.ts'
import { readCard, withComputeProcess, type ComputeOptions } from '../compute.ts'
import { Output, UsageError } from '../output.ts'
import { applyPredictionSettings, type PredictionSettings } from '../settings/applySettings.ts'

export interface PredictCommandOptions extends ComputeOptions {
  readonly model: string
  readonly out: string
  readonly probabilities?: boolean
  readonly instances?: boolean
  readonly set?: readonly string[]
}

/** A file of `--json`. */
interface Written {
  readonly input: string
  readonly output: string
  readonly seconds: number
  /** How many, where they were asked for. */
  readonly objects?: number
  /** What lies beside the mask. */
  readonly beside?: readonly string[]
}

/** An input that no mask was made of, and why. */
interface Failed {
  readonly input: string
  readonly error: string
}

/** Errors that are one input's own: the others can be predicted all the same. */
const OF_THE_INPUT: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'bad-file',
  'file-missing',
  'no-permission',
  'bad-request',
])

/** `maskwright predict --model MODEL --out DIR INPUT…` */
export async function predict(inputs: string[], options: PredictCommandOptions): Promise<void> {
  const { model, out, set = [] } = options
  const output = new Output(options)
  const startedAt = performance.now()
  refuseSameStem(inputs)
  const settings = settingsOf(await readCard(model), set)
  await makeFolder(out)
  const outputs: Written[] = []
  const failed: Failed[] = []
  await withComputeProcess(options, output, async (compute, signal) => {
    for (const input of inputs) {
      try {
        outputs.push(await predictOne(input, { options, output, settings, compute, signal }))
      } catch (error) {
        if (signal.aborted || !(error instanceof CodedError) || !OF_THE_INPUT.has(error.code)) throw error
        // A model that cannot be used predicts none of them.
        if (error.message.startsWith(resolve(model))) throw error
        failed.push({ input, error: error.message })
        if (inputs.length > 1) output.note(`not predicted: ${withPath(input, error.message)}`)
      }
    }
  })
  output.data({ outputs, failed, seconds: secondsSince(startedAt) })
  const [first] = failed
  if (first === undefined) return
  throw new CodedError(
    'bad-file',
    inputs.length === 1
      ? withPath(first.input, first.error)
      : `${failed.length} of ${inputs.length} inputs were not predicted; they are named above, with what to do.`,
  )
}

interface Work {
  readonly options: PredictCommandOptions
  readonly output: Output
  readonly settings: ReturnType<typeof settingsOf>
  readonly compute: ComputePort
  readonly signal: AbortSignal
}

async function predictOne(input: string, { options, output, settings, compute, signal }: Work): Promise<Written> {
  const { model, out, probabilities = false, instances = false } = options
  const began = performance.now()
  const target = join(out, stemOf(input) + (await endingFor(input, signal)))
  const order = { modelDir: resolve(model), input: resolve(input), output: resolve(target), ...settings }
  const { files, objects } = await compute.call(
    'predictFile',
    { ...order, probabilities, instances },
    {
      signal,
      onProgress: ({ step, steps }) => {
        output.progress(`${basename(input)}: ${Math.floor((100 * step) / steps)} %`, step, steps)
      },
    },
  )
  const [mask = target, ...beside] = files.map((file) => join(out, basename(file)))
  const seconds = secondsSince(began)
  const counted = objects === null ? '' : `${objects} ${objects === 1 ? 'object' : 'objects'}, `
  output.text(`${input} -> ${mask} (${counted}${seconds} s)`)
  return {
    ...{ input, output: mask, seconds },
    ...(objects === null ? {} : { objects }),
    ...(beside.length === 0 ? {} : { beside }),
  }
}

/** Sentences name a file by its name alone, which may be that of several. */
function withPath(input: string, sentence: string): string {
  return sentence.includes(input) ? sentence : `${input}: ${sentence}`
}

/** Nothing where nothing is changed: the model's own then hold. */
function settingsOf(
  { handling, labels }: ModelCard,
  set: readonly string[],
): { inference?: PredictionSettings['inference']; objects?: PredictionSettings['instances'] } {
  if (set.length === 0) return {}
  const own = {
    inference: handling?.inference ?? inferenceSettingsSchema.parse({}),
    instances: handling?.instances ?? null,
  }
  // Where the model tells no objects apart, what is set begins with the plainest way.
  const first = labels[0]?.value
  const touched = set.some((each) => each.startsWith('instances.'))
  const base = touched && own.instances === null ? [`instances={"kind":"distance","label":${first ?? 1}}`] : []
  const { inference, instances } = applyPredictionSettings(own, [...base, ...set])
  return { inference, objects: instances }
}

/** Of the mask. Opening an image reads no more than it must. */
async function endingFor(input: string, signal: AbortSignal): Promise<string> {
  const image = await readImage(input, { signal })
  await image.voxels.close()
  return maskExtension(image)
}

async function makeFolder(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true })
  } catch (cause) {
    throw new CodedError('not-saved', `${dir} cannot be made; give --out a folder that you may write to.`, { cause })
  }
}

function refuseSameStem(inputs: readonly string[]): void {
  const seen = new Map<string, string>()
  for (const input of inputs) {
    const stem = stemOf(input)
    const other = seen.get(stem)
    if (other !== undefined) {
      throw new UsageError(`${other} and ${input} would both be written as ${stem}; predict them into two folders.`)
    }
    seen.set(stem, input)
  }
}

function secondsSince(start: number): number {
  return Number(((performance.now() - start) / 1000).toFixed(2))
}
