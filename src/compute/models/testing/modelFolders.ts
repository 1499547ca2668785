import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { registerJsKernels } from '../../kernels/index.ts'
import { modelCard } from '../card.ts'
import { sealOf } from '../checksums.ts'
import { saveModel } from '../files.ts'
import { buildUNet } from '../unet.ts'
import type { ModelCard } from '../../../core/contract/compute.ts'
import type { LoadedModel } from '../files.ts'
import type { Normalization, Upsampling } from '../unet.ts'

export interface Kind {
  readonly normalization: Normalization
  readonly upsampling: Upsampling
}

/** Every network that can be trained here. */
export const KINDS: readonly Kind[] = (['none', 'instance', 'group', 'batch'] as const).flatMap((normalization) =>
  (['nearest', 'transposed'] as const).map((upsampling): Kind => ({ normalization, upsampling })),
)

const LABELS = [
  { value: 1, name: 'Liver' },
  { value: 4, name: 'Spleen' },
]

/** Saves an untrained network of two levels and two labels at `dir`, and returns its card as written. */
export async function saveUntrained(
  dir: string,
  { normalization, upsampling }: Kind = { normalization: 'instance', upsampling: 'nearest' },
  seed = 3,
): Promise<ModelCard> {
  const name = normalization === 'none' ? 'unet' : 'unet-norm'
  const architecture = { name, levels: 2, base: 4, inputChannels: 1, step: 4, normalization, upsampling } as const
  const network = buildUNet({ ...architecture, classes: LABELS.length + 1, seed })
  try {
    const identity = { id: 'm', parentId: null, name: 'M', createdAt: '2026-01-01T00:00:00.000Z', labels: LABELS }
    return await saveModel(dir, network, modelCard(identity, { network, architecture, training: null }))
  } finally {
    network.dispose()
  }
}

/** Replaces the content of a JSON file of a model folder. */
export async function editJson(dir: string, name: string, edit: (json: Json) => unknown): Promise<void> {
  const file = path.join(dir, name)
  await writeFile(file, JSON.stringify(edit(JSON.parse(await readFile(file, 'utf8')) as Json)))
}

/** As another program would leave a model that it made: with a card that says nothing of checksums. */
export async function withoutChecksums(dir: string): Promise<void> {
  await editJson(dir, 'card.json', (card) => ({ ...card, checksums: null }))
}

/** Changes the card and seals it again: a card that is wrong by itself, not damaged. */
export async function editSealed(dir: string, edit: (card: Json) => Json): Promise<void> {
  await editJson(dir, 'card.json', (card) => {
    const edited = edit(card)
    return { ...edited, checksums: { ...(edited.checksums as object), card: sealOf(edited) } }
  })
}

export type Json = Record<string, unknown>

/** A whole model in a temporary folder, and copies of it to damage. */
export interface ModelFolders {
  readonly dir: string
  readonly original: string
  copied(): Promise<string>
  remove(): Promise<void>
}

/** Starts the backend that needs no start, and saves a model. */
export async function prepareFolders(): Promise<ModelFolders> {
  await tf.setBackend('cpu')
  registerJsKernels()
  const dir = await mkdtemp(path.join(os.tmpdir(), 'maskwright-models-'))
  const original = path.join(dir, 'original')
  await saveUntrained(original)
  let copies = 0
  return {
    dir,
    original,
    async copied() {
      const folder = path.join(dir, `copy${++copies}`)
      await cp(original, folder, { recursive: true })
      return folder
    },
    remove: () => rm(dir, { recursive: true, force: true }),
  }
}

/** Of all weights, trainable or not. */
export function weightsOf({ network }: LoadedModel): number[][] {
  return network.getWeights().map((weight) => Array.from(weight.dataSync()))
}
