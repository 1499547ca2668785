import { modelCardSchema } from '../../core/contract/compute.ts'
import { CodedError } from '../../core/contract/errors.ts'
import type { ModelCard } from '../../core/contract/compute.ts'

/** Reads a model card from the text of card.json. Throws CodedError('bad-file') that names the folder. */
export function parseCard(text: string, modelDir: string): ModelCard {
  const parsed = modelCardSchema.safeParse(parseJson(text))
  if (parsed.success) return parsed.data
  throw new CodedError('bad-file', `The model in ${modelDir} has no valid card.json; choose another model.`, {
    detail: parsed.error.message,
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The card of a model that was just trained. */
export function modelCard(
  identity: Pick<ModelCard, 'id' | 'parentId' | 'name' | 'createdAt' | 'labels'>,
  { network, architecture, training }: Pick<ModelCard, 'architecture' | 'training'> & { network: Counted },
): ModelCard {
  return {
    format: 1,
    ...identity,
    architecture,
    parameters: network.countParams(),
    normalization: 'percentile',
    training,
  }
}

interface Counted {
  countParams(): number
}
