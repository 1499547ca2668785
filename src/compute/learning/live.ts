import { CodedError } from '../../core/contract/errors.ts'
import { passInTraining } from '../inference/forwardPass.ts'
import { predictSlices } from '../inference/predict.ts'
import { modelCard } from '../models/card.ts'
import { saveModel } from '../models/files.ts'
import { createLearnedRecord } from '../models/learnedData.ts'
import { trainedCard } from '../models/trainedCard.ts'
import { openTraining } from '../training/session.ts'
import type { ComputeMethods, ComputeSlice, ModelCard, TrainingSample } from '../../core/contract/compute.ts'
import type { ModelCache } from '../models/cache.ts'
import type { LoadedModel } from '../models/files.ts'
import type { LearnedRecord } from '../models/learnedData.ts'
import type { Runtime } from '../runtime/start.ts'
import type { ComputeCall } from '../server.ts'
import type { TrainingSession } from '../training/session.ts'
import type { Resident } from './resident.ts'
import type { z } from 'zod'

type Params<M extends keyof ComputeMethods> = z.output<ComputeMethods[M]['params']>
type LiveResult = z.output<ComputeMethods['liveRun']['result']>

/** What the card says trained it. */
const RECIPE = 'live'

/** After these the training is as it was; after any other error nobody knows what its weights are. */
const HARMLESS = [
  'bad-request',
  'nothing-to-train',
  'not-resident',
  'cancelled',
  'disk-full',
  'no-permission',
  'not-saved',
]

/**
 * A training between strokes: open over many short runs, one at a time. The methods as the contract tells them; what comes
 * while a run is under way waits for its end, which closing brings about.
 */
export interface Live {
  open(order: Params<'liveOpen'>, call: Pick<ComputeCall, 'notify'>): Promise<void>
  run(order: Params<'liveRun'>, call: Pick<ComputeCall, 'signal'>): Promise<LiveResult>
  save(order: Params<'liveSave'>): Promise<ModelCard>
  close(modelId: string): Promise<void>
  /** There is one: what it learned and did not save would be lost with the process. */
  isOpen(): boolean
}

interface Opened {
  readonly modelId: string
  readonly labels: ModelCard['labels']
  readonly session: TrainingSession
  /** Aborted when it is to be closed. */
  readonly ending: AbortController
  /** What it learns from. */
  samples: readonly TrainingSample[] | null
  /** What it learned from in some run. */
  readonly record: LearnedRecord
  /** What it learned from and is not in the record yet: whoever draws does not wait for that. */
  unrecorded: (readonly TrainingSample[])[]
}

export function createLive(runtime: Promise<Runtime>, models: ModelCache, resident: Resident): Live {
  let opened: Opened | null = null
  let last: Promise<unknown> = Promise.resolve()

  /** After all that was asked before. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = last.then(work)
    last = mine.catch(() => undefined)
    return mine
  }

  function current(modelId: string): Opened {
    if (opened?.modelId === modelId) return opened
    throw new CodedError('not-resident', 'This training is not open any more; it is begun again.', { detail: modelId })
  }

  function dispose(): void {
    opened?.ending.abort()
    opened?.session.dispose()
    opened = null
  }

  /** Closes the training where what went wrong leaves its weights undefined. */
  async function guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof CodedError) || !HARMLESS.includes(error.code)) dispose()
      throw error
    }
  }

  return {
    open({ parentDir, modelId, labels, seed, continuing }, { notify }) {
      opened?.ending.abort()
      return inTurn(async () => {
        dispose()
        const { backend } = await runtime
        const begin = (parent: LoadedModel | null): Promise<TrainingSession> =>
          openTraining({
            ...{ parent, labels, seed, continuing, backend },
            notify: (message) => {
              notify('warning', message)
            },
          })
        const session = await (parentDir === null ? begin(null) : models.with(parentDir, begin))
        const fresh = { ending: new AbortController(), samples: null, record: createLearnedRecord(), unrecorded: [] }
        opened = { modelId, labels, session, ...fresh }
      })
    },
    run({ modelId, lessons, milliseconds, show }, call) {
      return inTurn(async () => {
        const live = current(modelId)
        const samples = lessons === null ? null : await resident.resolve(lessons)
        const signal = AbortSignal.any([call.signal, live.ending.signal])
        return await guarded(async () => {
          const done = await live.session.run(samples, milliseconds, signal)
          live.samples = samples ?? live.samples
          noteLearned(live, done.steps)
          if (!signal.aborted) await record(live)
          // Who draws waits for no prediction.
          const shown = show === null || signal.aborted ? null : await shownBy(live, show, signal)
          return { ...done, shown }
        })
      })
    },
    save({ modelId, outDir, name, createdAt, parentId }) {
      return inTurn(async () => {
        const live = current(modelId)
        const { session, labels } = live
        const { threads, device, versions } = await runtime
        const identity = { id: modelId, parentId, name, createdAt, labels }
        const machine = { threads, device: device.name, versions }
        return await guarded(() =>
          session.use(async (trained) => {
            await record(live)
            const order = { identity, recipe: RECIPE, samples: [], learned: live.record.card() }
            const card = await trainedCard(order, trained, machine)
            return await saveModel(outDir, trained.network, card)
          }),
        )
      })
    },
    close(modelId) {
      if (opened?.modelId === modelId) opened.ending.abort()
      return inTurn(async () => {
        if (opened?.modelId === modelId) dispose()
      })
    },
    isOpen: () => opened !== null,
  }
}

function noteLearned(live: Opened, steps: number): void {
  if (steps > 0 && live.samples !== null && live.unrecorded.at(-1) !== live.samples) live.unrecorded.push(live.samples)
}

async function record(live: Opened): Promise<void> {
  const waiting = live.unrecorded
  live.unrecorded = []
  for (const samples of waiting) await live.record.add(samples)
}

/** What the network of a training says of a slice as it is now; null where that was cancelled. */
async function shownBy(
  { session, labels }: Opened,
  show: ComputeSlice,
  signal: AbortSignal,
): Promise<LiveResult['shown']> {
  const identity = { id: '', parentId: null, name: 'of this training', createdAt: '', labels }
  const options = { entropy: true, signal, pass: passInTraining }
  try {
    const [predicted] = await session.use(async (trained) => {
      const { network, recipeUse } = trained
      const card = modelCard(identity, trained, recipeUse === undefined ? {} : { recipeUse })
      return await predictSlices({ network, card: atOnce(card) }, [show], options)
    })
    if (predicted?.entropy === undefined) throw new Error('A slice that was asked for is predicted.')
    return { index: predicted.index, labels: predicted.labels, entropy: predicted.entropy }
  } catch (error) {
    if (signal.aborted) return null
    throw error
  }
}

/** Without the mirrored and turned copies of a slice that its card may ask for: they take several times as long. */
function atOnce(card: ModelCard): ModelCard {
  const { handling } = card
  if (handling === undefined) return card
  const inference = { ...handling.inference, flips: 'none' as const, quarterTurns: false }
  return { ...card, handling: { ...handling, inference } }
}
