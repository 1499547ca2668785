import { PERCENTILE_INPUT, readModelCard } from '../../core/contract/compute.ts'
import { canonical, sealOf } from './checksums.ts'
import { refusal } from './reading.ts'
import { unetOptions } from './unet.ts'
import type { ModelCard } from '../../core/contract/compute.ts'

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
export type CardFacts = Partial<Pick<ModelCard, 'spacing' | 'recipe' | 'data' | 'run' | 'versions'>>

/** The card of a model that was just trained. Its checksums are filled in when it is saved. */
export function modelCard(
  identity: Pick<ModelCard, 'id' | 'parentId' | 'name' | 'createdAt' | 'labels'>,
  { network, architecture, training }: Pick<ModelCard, 'architecture' | 'training'> & { network: Counted },
  facts: CardFacts = {},
): ModelCard {
  return {
    format: 2,
    ...identity,
    background: { channel: 0, value: 0 },
    architecture,
    parameters: network.countParams(),
    input: PERCENTILE_INPUT,
    spacing: null,
    recipe: null,
    data: null,
    training,
    run: null,
    versions: null,
    ...facts,
    checksums: null,
  }
}

interface Counted {
  countParams(): number
}

/**
 * Does the card speak of the network that is there? Throws CodedError('bad-file') that says what does not fit.
 */
export function checkArchitecture(card: ModelCard, network: NetworkFacts, file: string): void {
  const { architecture, labels, parameters } = card
  const known = unetOptions(architecture) !== null
  const problems = [
    differs('input channels', architecture.inputChannels, network.inputChannels),
    differs('output channels (its labels and background)', labels.length + 1, network.outputChannels),
    differs('weights', parameters, network.parameters),
    known ? differs('pixels as the step', architecture.step, 2 ** architecture.levels) : null,
    known ? differs('pixels as the step', architecture.step, network.step) : null,
    known ? differs('channels at the first level', architecture.base, network.base) : null,
    architecture.step % network.step === 0 ? null : differs('pixels as the step', architecture.step, network.step),
  ].filter((problem) => problem !== null)
  if (new Set(labels.map(({ value }) => value)).size !== labels.length) problems.push('names a label value twice')
  if (canonical(card.input) !== canonical(PERCENTILE_INPUT)) {
    problems.push('asks for intensities prepared in another way than this version can')
  }
  const [problem] = problems
  if (problem !== undefined) {
    throw refusal(file, `does not fit the network beside it: it ${problem}`, 'foreign', {
      detail: problems.join('; '),
    })
  }
}

/** What a network is, as found in model.json. */
interface NetworkFacts {
  readonly inputChannels: number
  readonly outputChannels: number
  readonly parameters: number
  readonly step: number
  readonly base: number
}

function differs(what: string, said: number, found: number): string | null {
  return said === found ? null : `says ${said} ${what}, the network has ${found}`
}
