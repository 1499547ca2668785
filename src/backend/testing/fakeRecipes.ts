import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PERCENTILE_INPUT, type ComputeMethod, type ModelCard } from '../../core/contract/compute.ts'
import { CodedError } from '../../core/contract/errors.ts'
import type { DataReport, RecipeEvent } from '../../core/contract/recipes.ts'
import type { ComputeCallOptions, ComputeParams, ComputeResult } from '../compute/port.ts'

type TrainParams = ComputeParams<'trainRecipe'>
type RecipeMethod = 'checkData' | 'augmentationSheet' | 'listCases' | 'readTruth' | 'trainRecipe'

const methods: readonly string[] = ['checkData', 'augmentationSheet', 'listCases', 'readTruth', 'trainRecipe']
export const FAKE_PNG = Uint8Array.of(0x89, 0x50, 0x4e, 0x47)
const EPOCHS = 3

/** What a compute process does with recipes, without a network: a training tells its epochs and writes a model folder. */
export class FakeRecipes {
  readonly asked: { readonly method: RecipeMethod; readonly params: unknown }[] = []
  /** Called before each answer; may wait or throw. */
  before: (method: RecipeMethod, signal: AbortSignal | undefined) => Promise<void> = async () => undefined
  /** Called after each epoch was told. */
  afterEpoch: (epoch: number, signal: AbortSignal | undefined) => Promise<void> = async () => undefined
  report: DataReport = { cases: [], labels: [], left: [], remarks: [], thumbnails: [] }
  listed: ComputeResult<'listCases'> = { cases: [], labels: [{ value: 1, name: 'Nucleus' }] }
  /** The truth of an image. */
  truth: (image: string) => ComputeResult<'readTruth'> = () => ({ dims: [1, 1, 1], labels: new Uint8Array(1) })

  knows(method: ComputeMethod): boolean {
    return methods.includes(method)
  }

  async answer(method: ComputeMethod, params: unknown, options: ComputeCallOptions): Promise<unknown> {
    const known = method as RecipeMethod
    this.asked.push({ method: known, params })
    await this.before(known, options.signal)
    refuseAborted(options.signal)
    if (method === 'checkData') return this.report
    if (method === 'augmentationSheet') return { png: FAKE_PNG }
    if (method === 'listCases') return this.listed
    if (method === 'readTruth') return this.truth((params as ComputeParams<'readTruth'>).image)
    return this.#train(params as TrainParams, options)
  }

  trainings(): TrainParams[] {
    return this.asked.flatMap(({ method, params }) => (method === 'trainRecipe' ? [params as TrainParams] : []))
  }

  /** As compute does: what it needs to go on lies beside the model until that is there. */
  async #train(params: TrainParams, { signal, onProgress }: ComputeCallOptions): Promise<unknown> {
    const kept = `${params.outDir}.training`
    if (existsSync(kept) && !params.resume) throw new CodedError('conflict', 'A training was interrupted here.')
    const done = existsSync(kept) ? this.#epochsIn(kept) : 0
    const tell = (event: RecipeEvent): void =>
      onProgress?.({ step: 0, steps: EPOCHS, point: null, secondsLeft: null, event })
    tell(startEvent(params, done + 1, this.listed.labels))
    for (let epoch = done + 1; epoch <= EPOCHS; epoch++) {
      mkdirSync(kept, { recursive: true })
      writeFileSync(join(kept, String(epoch)), '')
      tell(epochEvent(epoch))
      await this.afterEpoch(epoch, signal)
      refuseAborted(signal)
    }
    tell({ event: 'scoring', done: 0, of: 1 })
    const card = recipeCard(params, this.listed.labels)
    writeRecipeModel(params.outDir, card)
    const { recipe, preset, settings, limit, seed } = params
    const made = { recipe: recipe.name, preset, settings, limit, seed }
    writeFileSync(join(params.outDir, 'settings.json'), JSON.stringify(made))
    rmSync(kept, { recursive: true })
    tell({ event: 'done', model: params.outDir, metrics: { dice: 0.9 }, scoredOn: 'holdout', seconds: 3 })
    return { card, metrics: { dice: 0.9 }, cases: [] }
  }

  #epochsIn(kept: string): number {
    let done = 0
    while (existsSync(join(kept, String(done + 1)))) done++
    return done
  }
}

function startEvent(params: TrainParams, from: number, labels: ModelCard['labels']): RecipeEvent {
  const { recipe, preset, settings, seed } = params
  return {
    event: 'start',
    recipe: recipe.name,
    preset,
    // What the backend sent was parsed, so nothing is left to defaults.
    settings: settings as Extract<RecipeEvent, { event: 'start' }>['settings'],
    labels,
    cases: { train: 2, validation: 0, holdout: 1 },
    ...{ left: [], remarks: [], epochs: EPOCHS, steps: 2, from, parameters: 7, seed, backend: 'fake', threads: 1 },
  }
}

function epochEvent(epoch: number): RecipeEvent {
  return {
    ...{ event: 'epoch', epoch, epochs: EPOCHS, loss: 1 / epoch, valLoss: null, val: { dice: epoch / 4 }, rate: 0.1 },
    ...{ seconds: epoch, secondsLeft: EPOCHS - epoch, pictures: [{ id: 'a', png: FAKE_PNG }] },
  }
}

export function recipeCard(params: TrainParams, labels: ModelCard['labels']): ModelCard {
  return {
    format: 4,
    id: params.modelId,
    parentId: null,
    name: params.name,
    createdAt: params.createdAt,
    labels,
    background: { channel: 0, value: 0 },
    architecture: { name: 'fake', levels: 1, base: 1, inputChannels: 3, step: 2 },
    parameters: 7,
    input: PERCENTILE_INPUT,
    spacing: null,
    recipe: params.recipe.name,
    data: null,
    training: null,
    run: null,
    versions: null,
    checksums: null,
    handling: {
      resize: { kind: 'none' },
      output: 'softmax',
      border: false,
      inference: params.recipe.presets.best.inference as NonNullable<ModelCard['handling']>['inference'],
      instances: null,
    },
  }
}

export function writeRecipeModel(dir: string, card: ModelCard): void {
  mkdirSync(join(dir, 'report', 'figures'), { recursive: true })
  writeFileSync(join(dir, 'model.json'), '{}')
  writeFileSync(join(dir, 'weights.bin'), '')
  writeFileSync(join(dir, 'report', 'report.json'), '{}')
  writeFileSync(join(dir, 'report', 'report.html'), '<!doctype html>')
  writeFileSync(join(dir, 'report', 'figures', 'loss.png'), FAKE_PNG)
  writeFileSync(join(dir, 'card.json'), JSON.stringify(card))
}

function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new CodedError('cancelled', 'This was cancelled.')
}
