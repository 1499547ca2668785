import { kindOf } from './survey.ts'
import { splitCases, splitSlices } from './split.ts'
import type { DataReport, RecipeSettings } from '../../core/contract/recipes.ts'
import type { TrainingCase } from '../recipes/types.ts'
import type { Surveyed } from './survey.ts'

/** A case of one part, with what was found in its file. */
export interface PartCase extends TrainingCase {
  readonly found: Surveyed
}

export interface Partition {
  readonly cases: readonly PartCase[]
  /** Slices were parted, not cases. */
  readonly bySlice: boolean
  readonly remarks: readonly string[]
}

/** A single volume with fewer slices is learned from as a whole. */
const FEWEST_SLICES = 6

/**
 * Puts the cases into parts. A single volume is parted by its slices, also where nobody asked for it: there would be nothing to
 * measure on.
 */
export function partCases(
  surveyed: readonly Surveyed[],
  patientOf: (found: Surveyed) => string,
  settings: RecipeSettings['split'],
  seed: number,
): Partition {
  const remarks: string[] = []
  const [only] = surveyed
  const slices = only?.planes[0]?.grid.slices ?? 1
  const alone = surveyed.length === 1 && slices >= FEWEST_SLICES && settings.holdout > 1
  const volumes = surveyed.filter(({ planes }) => (planes[0]?.grid.slices ?? 1) >= FEWEST_SLICES)
  if (alone || (settings.by === 'slice' && volumes.length > 0)) {
    if (settings.by === 'case') remarks.push('There is a single volume, so slices of it are held out instead of cases.')
    return {
      cases: surveyed.flatMap((found) => slicesOf(found, patientOf(found), settings, seed)),
      bySlice: true,
      remarks,
    }
  }
  if (surveyed.length === 1 && settings.holdout > 0) {
    remarks.push(
      'There is only one case: nothing is held out, and what is measured is measured on what was learned from.',
    )
  }
  const toSplit = surveyed.map((found) => ({
    id: found.files.id,
    patient: patientOf(found),
    heldOut: found.files.heldOut,
    kind: kindOf(found),
    foreground: Object.values(sharesOf(found, undefined)).reduce((sum, share) => sum + share, 0),
  }))
  const parts = splitCases(toSplit, settings, seed)
  const cases = surveyed.map((found): PartCase => {
    const { id, image, masks } = found.files
    return { id, image, masks, patient: patientOf(found), part: parts.get(id) ?? 'train', found }
  })
  return { cases, bySlice: false, remarks }
}

function slicesOf(found: Surveyed, patient: string, settings: RecipeSettings['split'], seed: number): PartCase[] {
  const { id, image, masks } = found.files
  const grid = found.planes[0]?.grid
  const axis = grid?.axis ?? null
  const parts = splitSlices(grid?.slices ?? 1, settings, seed)
  return (['train', 'validation', 'holdout'] as const).flatMap((part): PartCase[] => {
    const indices = parts.flatMap((each, at) => (each === part ? [at] : []))
    if (indices.length === 0 || axis === null) return []
    return [{ id: `${id}-${part}`, image, masks, patient, part, only: { axis, indices }, found }]
  })
}

/** Share of each label among the voxels, by value; of some slices only. */
function sharesOf({ planes, dims }: Surveyed, only: TrainingCase['only']): Record<string, number> {
  const [plane] = planes
  if (plane === undefined) return {}
  const indices = only === undefined ? plane.slices.map((_, at) => at) : only.indices
  const perSlice = (dims[0] * dims[1] * dims[2]) / plane.slices.length
  const shares: Record<string, number> = {}
  for (const at of indices) {
    for (const [value, count] of plane.slices[at] ?? []) {
      shares[value] = (shares[value] ?? 0) + count / (perSlice * indices.length)
    }
  }
  return shares
}

export function reportCase({ id, patient, part, only, found }: PartCase): DataReport['cases'][number] {
  const grid = found.planes[0]?.grid
  return {
    ...{ id, patient, part },
    width: grid?.width ?? found.dims[0],
    height: grid?.height ?? found.dims[1],
    slices: only?.indices.length ?? grid?.slices ?? 1,
    channels: found.channels,
    shares: sharesOf(found, only),
  }
}
