import { PERCENTILE_INPUT, readModelCard } from '../../core/contract/compute.ts'
import { CARD_FORMAT, RECIPE_CARD_FORMAT } from '../../core/contract/modelCard.ts'
import { canonical, sealOf } from './checksums.ts'
import { refusal } from './reading.ts'
import { marginOf, offsetOf } from './sizes.ts'
import { unetOptions } from './unet.ts'
import type { ModelCard } from '../../core/contract/compute.ts'
import type { Handling } from '../../core/contract/modelCard.ts'

/**
 * Reads a model card from the text of card.json and checks that it is whole: one of the present format seals itself.
 * Throws CodedError('bad-file') that names the file.
 */
export function parseCard(text: string, file: string): ModelCard {
  const card = readModelCard(text, file)
  if (card.checksums !== null && card.checksums.card !== sealOf(JSON.parse(text))) {
    throw refusal(file, 'was changed after the model was saved', 'damaged', {
      detail: 'The checksum that the card holds of itself does not fit.',
    })
  }
  return card
}

/** What a card can say beside who and what the model is; what is not given is not known. */
export type CardFacts = Partial<Pick<ModelCard, 'spacing' | 'recipe' | 'data' | 'run' | 'versions'>> & {
  /** Of a recipe: how pictures are prepared and outputs become labels; the card is then of format 4. */
  readonly recipeUse?: { readonly input: ModelCard['input']; readonly handling: Handling }
}

/** The card of a model that was just trained. Its checksums are filled in when it is saved. */
export function modelCard(
  identity: Pick<ModelCard, 'id' | 'parentId' | 'name' | 'createdAt' | 'labels'>,
  { network, architecture, training }: Pick<ModelCard, 'architecture' | 'training'> & { network: Counted },
  { recipeUse, ...facts }: CardFacts = {},
): ModelCard {
  return {
    format: recipeUse === undefined ? CARD_FORMAT : RECIPE_CARD_FORMAT,
    ...identity,
    background: { channel: recipeUse === undefined || recipeUse.handling.output === 'softmax' ? 0 : null, value: 0 },
    architecture,
    parameters: network.countParams(),
    input: recipeUse?.input ?? PERCENTILE_INPUT,
    spacing: null,
    recipe: null,
    data: null,
    training,
    run: null,
    versions: null,
    ...facts,
    checksums: null,
    ...(recipeUse === undefined ? {} : { handling: recipeUse.handling }),
  }
}

interface Counted {
  countParams(): number
}

/**
 * Does the card speak of the network that is there? Throws CodedError('bad-file') that says what does not fit.
 */
export function checkArchitecture(card: ModelCard, network: NetworkFacts, file: string): void {
  const { architecture, labels, parameters, handling } = card
  const kind = unetOptions(architecture)
  const known = kind !== null
  // Of format 2 all outputs exclude each other, and the first is background.
  const besides =
    (handling === undefined || handling.output === 'softmax' ? 1 : 0) + (handling?.border === true ? 1 : 0)
  const problems = [
    differs('input channels', architecture.inputChannels, network.inputChannels),
    differs('output channels (its labels and what is beside them)', labels.length + besides, network.outputChannels),
    differs('weights', parameters, network.parameters),
    known ? differs('pixels as the step', architecture.step, 2 ** architecture.levels) : null,
    known ? differs('pixels as the step', architecture.step, network.step) : null,
    known ? differs('pixels beside that', offsetOf(architecture), network.offset) : null,
    known ? differs('channels at the first level', architecture.base, network.base) : null,
    differs('pixels as the margin', architecture.margin ?? 0, network.margin),
    known ? differs('pixels as the margin', marginOf(architecture), network.margin) : null,
    architecture.step % network.step === 0 ? null : differs('pixels as the step', architecture.step, network.step),
  ].filter((problem) => problem !== null)
  if (new Set(labels.map(({ value }) => value)).size !== labels.length) problems.push('names a label value twice')
  if (handling === undefined && canonical(card.input) !== canonical(PERCENTILE_INPUT)) {
    problems.push('asks for intensities prepared in another way than this version can')
  }
  if (handling !== undefined) problems.push(...unfitting(card, handling))
  const [problem] = problems
  if (problem !== undefined) {
    throw refusal(file, `does not fit the network beside it: it ${problem}`, 'foreign', {
      detail: problems.join('; '),
    })
  }
}

/** What does not fit in a card of a recipe's network. */
function unfitting({ input, architecture, background, labels }: ModelCard, handling: Handling): string[] {
  const problems: string[] = []
  const channels = input.colour.kind === 'rgb' ? 3 : 1
  if (channels !== architecture.inputChannels) {
    problems.push(`prepares ${channels} channels, the network takes ${architecture.inputChannels}`)
  }
  const { mean = [0], deviation = [1] } = input.standardize ?? {}
  if ([mean, deviation].some(({ length }) => length !== 1 && length !== channels)) {
    problems.push(`standardizes other channels than the ${channels} that there are`)
  }
  const wanted = handling.output === 'softmax' ? 0 : null
  if (background.channel !== wanted) problems.push('says that background is where it is not')
  if (labels.length === 0) problems.push('has no labels')
  if (handling.instances !== null && !labels.some(({ value }) => value === handling.instances?.label)) {
    problems.push(`makes objects of the label ${handling.instances.label}, which it does not have`)
  }
  return problems
}

/** What a network is, as found in model.json. */
interface NetworkFacts {
  readonly inputChannels: number
  readonly outputChannels: number
  readonly parameters: number
  readonly step: number
  readonly offset: number
  readonly margin: number
  readonly base: number
}

function differs(what: string, said: number, found: number): string | null {
  return said === found ? null : `says ${said} ${what}, the network has ${found}`
}
