import path from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import { findCases, spreadOver } from './layouts/index.ts'
import { partCases, reportCase } from './partition.ts'
import { inSentences, remarksOn, surveyCases } from './survey.ts'
import type { RecipeOrder } from '../../core/contract/compute.ts'
import type { DataReport, Recipe, RecipeSettings } from '../../core/contract/recipes.ts'
import type { MaskRules } from '../../imaging/index.ts'
import type { PartCase } from './partition.ts'
import type { SlicePlane } from './planes.ts'
import type { Surveyed, SurveyOptions } from './survey.ts'

/** What was looked through, and put into parts. */
export interface LookedThrough {
  readonly cases: readonly PartCase[]
  readonly report: DataReport
  readonly rules: MaskRules
  readonly planes: readonly SlicePlane[]
}

/**
 * Finds the cases of an order, reads each once and puts them into parts. Throws CodedError('nothing-to-train') where nothing is left,
 * 'file-missing' where there is no folder, 'bad-request' where settings contradict each other, 'cancelled'.
 */
export async function lookThrough(order: RecipeOrder, options: SurveyOptions = {}): Promise<LookedThrough> {
  const { recipe, settings, dataDir, limit, seed } = order
  refuseContradictions(settings)
  const rules = rulesOf(recipe, settings)
  const found = await findCases(recipe, dataDir)
  const wanted = planesOf(settings)
  // Cases are counted, and parted, in a plane whose slices are those of the file.
  const planes = wanted.includes('oblique') && wanted.length === 1 ? (['training', ...wanted] as const) : wanted
  const { surveyed, left } = await surveyCases(spreadOver(found.cases, limit), rules, planes, options)
  const relative = (file: string): string => path.relative(dataDir, file) || file
  // Damaged files first: what merely has no partner may be there on purpose.
  const leftOut = [...left, ...inSentences(found.left)].map(({ file, reason }) => ({ file: relative(file), reason }))
  if (surveyed.length === 0) {
    const [first] = leftOut
    throw new CodedError(
      'nothing-to-train',
      `None of the ${found.cases.length} cases in ${dataDir} can be used: ${first?.reason ?? 'there is none'}`,
      { detail: leftOut.map(({ file, reason }) => `${file}: ${reason}`).join('\n') },
    )
  }
  const labels = labelsOf(recipe, surveyed)
  if (labels.length === 0) {
    throw new CodedError(
      'nothing-to-train',
      `The masks in ${dataDir} hold none of the labels that are to be learned; check the labels, or the masks.`,
    )
  }
  refuseForeignObjects(settings, labels)
  const { cases, bySlice, remarks: parted } = partCases(surveyed, patientsOf(recipe), settings.split, seed)
  const remarks = [...parted]
  const used = bySlice ? planes.slice(0, 1) : wanted
  if (bySlice && wanted.join() !== used.join()) {
    remarks.push('Where slices are held out, only slices of one plane are learned from: others would run through them.')
  }
  const report: DataReport = {
    cases: cases.map(reportCase),
    ...{ labels, left: leftOut, thumbnails: [] },
    remarks: [...remarks, ...remarksOn(surveyed)],
  }
  return { cases, report, rules, planes: used }
}

function refuseContradictions({ input: { normalization }, instances, loss }: RecipeSettings): void {
  if (normalization.kind === 'window' && normalization.from >= normalization.to) {
    throw new CodedError(
      'bad-request',
      `A window from ${normalization.from} to ${normalization.to} shows nothing; set input.normalization.to to more than input.normalization.from.`,
    )
  }
  if (instances?.kind === 'border' && loss.output !== 'softmax') {
    throw new CodedError('bad-request', 'A border class needs loss.output=softmax; set it, or instances.kind=distance.')
  }
}

/** Objects are of a label that there is; a border is that of the first, as cards say. */
function refuseForeignObjects({ instances }: RecipeSettings, labels: DataReport['labels']): void {
  if (instances === null) return
  const values = labels.map(({ value }) => value)
  const [first = 1] = values
  if (!values.includes(instances.label)) {
    throw new CodedError(
      'bad-request',
      `There is no label ${instances.label} whose objects could be told apart; set instances.label to one of ${values.join(', ')}.`,
    )
  }
  if (instances.kind === 'border' && instances.label !== first) {
    throw new CodedError(
      'bad-request',
      `Only objects of the first label, ${first}, can have a border class; set instances.label=${first}, or instances.kind=distance.`,
    )
  }
}

function rulesOf({ classes }: Recipe, { labels, instances, loss }: RecipeSettings): MaskRules {
  const apart = instances !== null || (loss.weightMap !== null && loss.weightMap.w0 > 0)
  return { classes, labels, objectLabel: apart ? (instances?.label ?? classes[0]?.value ?? 1) : null }
}

/** Each once, the oblique ones last. */
function planesOf({ planes }: RecipeSettings): SlicePlane[] {
  const all = new Set<SlicePlane>(planes)
  const last = all.delete('oblique')
  return last ? [...all, 'oblique'] : [...all]
}

function labelsOf({ classes }: Recipe, surveyed: readonly Surveyed[]): DataReport['labels'] {
  const seen = new Set(
    surveyed.flatMap(({ planes }) => planes.flatMap(({ slices }) => slices.flatMap((slice) => [...slice.keys()]))),
  )
  if (classes.length > 0) {
    if (!classes.some(({ value }) => seen.has(value))) return []
    return classes.map(({ value, name }) => ({ value, name })).sort((a, b) => a.value - b.value)
  }
  const names = new Map(surveyed.flatMap((each) => [...each.names]))
  return [...seen].sort((a, b) => a - b).map((value) => ({ value, name: names.get(value) ?? `Label ${value}` }))
}

function patientsOf({ patient }: Recipe): (found: Surveyed) => string {
  const pattern = patient === null ? null : new RegExp(patient)
  return ({ files }) => files.patient ?? pattern?.exec(files.id)?.[1] ?? files.id
}
