import {
  classCounts,
  PERCENTILE_INPUT,
  type Label,
  type NetworkFacts,
  type NetworkInput,
  type NetworkMeaning,
} from '../../../../core/contract/index.ts'
import { importWords as words } from '../../i18n/imports.ts'

/** How a network takes intensities, as the form offers it. `stated`: as the file itself says. */
export type Way = keyof typeof words.ways

/** What is typed and chosen, as it stands there. */
export interface ImportForm {
  name: string
  way: Way
  from: number | ''
  to: number | ''
  spacing: string
  /** The first channel is none of the classes; only a question where channels do not exclude each other. */
  backgroundFirst: boolean
  /** Of every channel that may be a class. */
  classes: string[]
}

/** Means and deviations of red, green and blue over ImageNet, as torchvision's models are trained. */
const IMAGENET = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] }
/** A usual window of the abdomen, in Hounsfield units. */
const CT_WINDOW = { from: -160, to: 240 }

/** The ways that make sense for this file, the likeliest first. */
export function waysFor({ stated, inputChannels }: NetworkFacts): Way[] {
  const colour: Way[] = inputChannels === 3 ? ['bytes', 'photographs', 'percentile'] : ['percentile', 'bytes']
  return [...(stated.input === undefined ? [] : ['stated' as const]), ...colour, 'window', 'zscore', 'none']
}

/** What the file says of itself, else the project's labels where they are as many, else plain names. */
export function newForm(name: string, facts: NetworkFacts, labels: readonly Label[]): ImportForm {
  const { stated, use } = facts
  const [most = 1, fewer] = classCounts(use)
  const names = stated.classes ?? (labels.length === most ? labels.map((label) => label.name) : [])
  const backgroundFirst = fewer !== undefined && stated.classes?.length === fewer
  const offset = backgroundFirst ? most - names.length : 0
  const { spacing } = stated
  return {
    name,
    way: waysFor(facts)[0] ?? 'percentile',
    ...CT_WINDOW,
    spacing:
      spacing === undefined ? '' : [...spacing.inPlane, spacing.slices].filter((each) => each !== null).join(', '),
    backgroundFirst,
    classes: Array.from({ length: most }, (_, at) => names[at - offset] ?? words.defaultClass(at + 1)),
  }
}

/** May the first channel be background or a class? */
export function asksForBackground({ use }: NetworkFacts): boolean {
  return classCounts(use).length > 1
}

/** Of what is on the form, those that are classes, with the channel of each. */
export function classesOf(
  { classes, backgroundFirst }: ImportForm,
  { use }: NetworkFacts,
): { at: number; channel: number }[] {
  const all = classes.map((_, at) => ({ at, channel: at + (use.classes === 'independent' ? 0 : 1) }))
  return backgroundFirst ? all.slice(1) : all
}

/** What is wrong with the form, by field, a sentence each. */
export function problemsOf(form: ImportForm, facts: NetworkFacts): Partial<Record<keyof ImportForm, string>> {
  const problems: Partial<Record<keyof ImportForm, string>> = {}
  if (form.name.trim() === '') problems.name = words.nameProblem
  if (form.way === 'window' && !(form.from !== '' && form.to !== '' && form.to > form.from)) {
    problems.to = words.windowProblem
  }
  if (form.spacing.trim() !== '' && spacingOf(form.spacing) === null) problems.spacing = words.spacingProblem
  const names = classesOf(form, facts).map(({ at }) => (form.classes[at] ?? '').trim())
  const lower = names.map((name) => name.toLowerCase())
  const twice = names.find((name, at) => lower.indexOf(name.toLowerCase()) !== at)
  if (names.includes('')) problems.classes = words.noName
  else if (twice !== undefined) problems.classes = words.twice(twice)
  return problems
}

/** Call it only where there are no problems. */
export function meaningOf(form: ImportForm, facts: NetworkFacts): NetworkMeaning {
  return {
    name: form.name.trim(),
    classes: classesOf(form, facts).map(({ at }) => (form.classes[at] ?? '').trim()),
    input: inputOf(form, facts),
    spacing: spacingOf(form.spacing),
  }
}

function inputOf({ way, from, to }: ImportForm, { stated, inputChannels }: NetworkFacts): NetworkInput {
  const colour: NetworkInput['colour'] = inputChannels === 3 ? { kind: 'rgb' } : PERCENTILE_INPUT.colour
  const window = (least: number, most: number): NetworkInput['normalization'] => ({
    ...{ kind: 'window', from: least, to: most },
  })
  switch (way) {
    case 'stated':
      return stated.input ?? { colour, normalization: PERCENTILE_INPUT.normalization }
    case 'percentile':
      return { colour, normalization: PERCENTILE_INPUT.normalization }
    case 'bytes':
      return { colour, normalization: window(0, 255) }
    case 'photographs':
      return { colour, normalization: window(0, 255), standardize: IMAGENET }
    case 'window':
      return { colour, normalization: window(Number(from), Number(to)) }
    case 'zscore':
      return { colour, normalization: { kind: 'zscore', over: 'slice' } }
    case 'none':
      return { colour, normalization: { kind: 'none' } }
  }
}

/** "0.8, 0.8, 3" or "0.8 x 0.8"; null for anything else. */
function spacingOf(text: string): NetworkMeaning['spacing'] {
  const parts = text.split(/\s*[,;×x]\s*|\s+/).filter((part) => part !== '')
  const numbers = parts.map(Number)
  const [columns, rows, slices = null] = numbers
  if (columns === undefined || rows === undefined || numbers.length > 3) return null
  if (numbers.some((each) => !Number.isFinite(each) || each <= 0)) return null
  return { inPlane: [columns, rows], slices }
}
