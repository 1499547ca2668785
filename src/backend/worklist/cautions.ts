import type { Caution } from '../../core/contract/caseSchemas.ts'
import { shearOf } from '../../core/geometry/index.ts'
import type { ImageVolume } from '../../imaging/index.ts'

/** Degrees by which axes may differ from right angles: what headers in single precision make of right ones is far below. */
const MAX_SHEAR = 0.1

/** What the user is told before annotating, since masks could come to lie in the wrong place. */
export function cautionsOf({ info, affine, kind }: Pick<ImageVolume, 'info' | 'affine' | 'kind'>): Caution[] {
  const cautions: Caution[] = []
  if (info.disagreement !== null) {
    const { mm, other } = info.disagreement
    const used = other === 'qform' ? 'sform' : 'qform'
    cautions.push({
      kind: 'two-positions',
      message:
        `The file states two positions that lie up to ${lengthOf(mm)} apart: its ${used} is used, and its ${other} says ` +
        'otherwise; find out which one is right before you annotate.',
      other,
    })
  }
  if (kind === 'volume' && info.affineSource === 'pixdim') {
    cautions.push({
      kind: 'no-orientation',
      message:
        'The file does not say how the patient lies in the image: left and right, front and back are assumed, and can be wrong.',
      other: null,
    })
  }
  if (affine !== null && shearOf(affine) > MAX_SHEAR) {
    cautions.push({
      kind: 'sheared',
      message:
        'The slices of the image do not lie at right angles: it is shown as if they did, and distances across slices are not exact.',
      other: null,
    })
  }
  if (info.gaps === true) {
    cautions.push({
      kind: 'gaps',
      message:
        'Slices of the series are missing or not evenly spaced: what lies beyond a gap is shown nearer than it is, and so is its mask.',
      other: null,
    })
  }
  return cautions
}

function lengthOf(mm: number): string {
  return Number.isFinite(mm) ? `${mm < 10 ? mm.toFixed(1) : mm.toFixed(0)} mm` : 'any distance'
}
