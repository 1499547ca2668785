import type { Affine, ImageSelection, Vec3 } from '../../core/contract/schemas.ts'
import { CodedError } from '../../core/contract/errors.ts'
import {
  isQformOf,
  isUsableAffine,
  largestDistance,
  qformToAffine,
  shearOf,
  spacingOf,
  type Qform,
} from '../../core/geometry/index.ts'
import type { AffineSource, ImageInfo } from '../types.ts'
import type { NiftiHeader } from './header.ts'

export interface NiftiGeometry {
  /** In the header's own numbers, whatever their unit, as nibabel gives them. */
  readonly affine: Affine
  readonly affineSource: AffineSource
  /** The header's own numbers, of which 1 is made where they are missing. */
  readonly spacing: Vec3
  readonly spacingKnown: boolean
  /** How many mm one of these numbers is. */
  readonly unit: number
  readonly disagreement: ImageInfo['disagreement']
  readonly warnings: readonly string[]
}

/** Farther apart than this, somewhere in the volume, the two forms of a header speak of different places. */
const DISAGREEMENT_MM = 0.1
/** What rounding does to a rotation stays below. */
const SHEARED_DEGREES = 0.05

const UNITS: ReadonlyMap<number, { readonly mm: number; readonly name: string }> = new Map([
  [1, { mm: 1000, name: 'metres' }],
  [3, { mm: 0.001, name: 'micrometres' }],
])

/**
 * The affine by the rule of nibabel's `get_best_affine`: the sform where its code is positive, else the qform where its
 * code is, else axes by pixdim with x to the left and the origin in the middle of the volume. A form that is singular or
 * holds no numbers is passed over with a warning. `wanted` takes one of the forms against the rule; throws
 * CodedError('bad-request') where it is not usable.
 */
export function geometryOf(header: NiftiHeader, wanted?: ImageSelection['affine']): NiftiGeometry {
  const warnings: string[] = []
  const spacingKnown = [1, 2, 3].slice(0, header.extents.length).every((i) => isLength(header.pixdim[i]))
  const spacing: Vec3 = [lengthOf(header, 1), lengthOf(header, 2), lengthOf(header, 3)]
  if (!spacingKnown) warnings.push('The voxel size is not stated in full; 1 mm is assumed where it is missing.')
  const unit = UNITS.get(header.lengthUnit)
  if (unit !== undefined) {
    warnings.push(
      `Lengths in the header are in ${unit.name}; they are converted to millimetres when the image is opened.`,
    )
  }
  const mm = unit?.mm ?? 1
  const forms = usableForms(header, spacing, warnings)
  const chosen = choose(forms, wanted)
  const { sform, qform } = forms
  // Of a qform near half a turn, single precision alone moves the far end of a volume by tenths of a mm.
  const differ = sform !== null && qform !== null && !isQformOf(storedQform(header, spacing), sform)
  const apart = differ ? largestDistance([...header.dims], sform, qform) * mm : 0
  let disagreement: ImageInfo['disagreement'] = null
  if (chosen !== null && apart > DISAGREEMENT_MM) {
    const other = chosen === 'sform' ? 'qform' : 'sform'
    disagreement = { mm: apart, other }
    warnings.push(
      `The header states two positions (sform and qform) that are up to ${apart.toPrecision(2)} mm apart; the ${chosen} is used.`,
    )
  }
  if (chosen === null) {
    warnings.push('The header states no orientation; the letters L, R, A, P, S, I are assumed and may be wrong.')
  }
  const affine = (chosen === null ? null : forms[chosen]) ?? header.plainAffine ?? centred(header, spacing)
  if (shearOf(affine) > SHEARED_DEGREES) {
    warnings.push('The axes of the image are not at right angles; distances and angles on the screen are not true.')
  }
  return { affine, affineSource: chosen ?? 'pixdim', spacing, spacingKnown, unit: mm, disagreement, warnings }
}

interface Forms {
  readonly sform: Affine | null
  readonly qform: Affine | null
}

function usableForms(header: NiftiHeader, spacing: Vec3, warnings: string[]): Forms {
  const usable = (name: 'sform' | 'qform', affine: Affine): Affine | null => {
    if (isUsableAffine(affine)) return affine
    warnings.push(`The orientation in the header (${name}) is not usable and was passed over.`)
    return null
  }
  return {
    sform: header.sformCode > 0 ? usable('sform', [...header.srow.map((row) => [...row]), [0, 0, 0, 1]]) : null,
    qform: header.qformCode > 0 ? usable('qform', qformToAffine(storedQform(header, spacing))) : null,
  }
}

function storedQform(header: NiftiHeader, spacing: Vec3): Qform {
  const [b, c, d] = header.quaternion
  return { b, c, d, offset: [...header.qoffset], spacing, qfac: header.pixdim[0] === -1 ? -1 : 1 }
}

function choose(forms: Forms, wanted: ImageSelection['affine']): 'sform' | 'qform' | null {
  if (wanted !== undefined && forms[wanted] === null) {
    throw new CodedError('bad-request', `The header of the image has no ${wanted} that could be used.`)
  }
  if (wanted !== undefined) return wanted
  if (forms.sform !== null) return 'sform'
  return forms.qform === null ? null : 'qform'
}

/** Axes by voxel size alone, in radiological order, with the origin in the middle. */
function centred({ dims }: NiftiHeader, [x, y, z]: Vec3): Affine {
  return [
    [-x, 0, 0, ((dims[0] - 1) / 2) * x],
    [0, y, 0, -((dims[1] - 1) / 2) * y],
    [0, 0, z, -((dims[2] - 1) / 2) * z],
    [0, 0, 0, 1],
  ]
}

/** In mm, from the affine, which is what counts; pixdim where it says the same, since no rotation has rounded it. */
export function spacingInMm({ affine, spacing, unit }: NiftiGeometry): Vec3 {
  const along = spacingOf(affine)
  for (const axis of [0, 1, 2] as const) {
    const stated = spacing[axis]
    if (Math.abs(along[axis] - stated) <= 1e-3 * along[axis]) along[axis] = stated
    along[axis] *= unit
  }
  return along
}

/** The affine with its numbers in mm. */
export function affineInMm({ affine, unit }: NiftiGeometry): Affine {
  return affine.map((row, i) => (i < 3 ? row.map((value) => value * unit) : [...row]))
}

function isLength(value: number | undefined): boolean {
  return value !== undefined && Number.isFinite(value) && value !== 0
}

/** Of an axis beyond those of the image: 1, whatever the header says. */
function lengthOf({ pixdim, extents }: NiftiHeader, axis: 1 | 2 | 3): number {
  const value = pixdim[axis]
  return axis <= extents.length && value !== undefined && isLength(value) ? Math.abs(value) : 1
}
