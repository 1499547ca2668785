import type { Dims, ImageSelection } from '../../core/contract/schemas.ts'
import { badFile } from '../files.ts'
import type { ComplexPart } from './elements.ts'

/** What an axis of the file is: one of the room, one over volumes of which one is chosen, or over the samples of a voxel. */
export interface FileAxis {
  readonly size: number
  readonly role: 'space' | 'frame' | 'component'
}

/** What the samples of a voxel are together. */
export type Components = 'colour' | 'complex' | 'channels'

/** Which samples of the file make the chosen image. All counts are of samples. */
export interface Arrangement {
  readonly dims: Dims
  readonly channels: 1 | 3
  /** Of the file: the sizes of its frame axes, the product of those, and the samples of a voxel. */
  readonly frameSizes: readonly number[]
  readonly frames: number
  readonly components: number
  readonly kind: Components | null
  readonly part: ComplexPart | null
  /** Samples that stand together for each voxel, frames and components that vary faster than the room among them. */
  readonly group: number
  /** Those of a group that are taken. */
  readonly taken: readonly number[]
  /** Where the volumes begin that are taken: one, or one a colour where the file has colours one after the other. */
  readonly starts: readonly number[]
}

/** Changes are recorded with 32-bit positions, so an image cannot be larger. */
const MAX_VOXELS = 2 ** 32 - 1

/** Finds the chosen image among the axes of a file, given fastest first. Throws CodedError('bad-file' or 'bad-request'). */
export function arrange(
  axes: readonly FileAxis[],
  components: Components,
  selection: ImageSelection,
  path: string,
): Arrangement {
  if (axes.some(({ size }) => !Number.isSafeInteger(size) || size < 1)) {
    const sizes = axes.map(({ size }) => size).join(' x ')
    throw badFile(path, `states an impossible size (${sizes}); get the file again from where it came from.`)
  }
  const kept = axes.filter(({ size, role }) => size > 1 || role === 'space')
  const first = kept.findIndex(({ role }) => role === 'space')
  const space = kept.filter(({ role }) => role === 'space')
  if (space.length === 0 || kept.slice(first, first + space.length).some(({ role }) => role !== 'space')) {
    throw badFile(
      path,
      'stores its axes in an order that cannot be read; permute them so that x, y and z are neighbours.',
    )
  }
  const [nx, ny, nz] = [space[0]?.size ?? 1, space[1]?.size ?? 1, space[2]?.size ?? 1]
  const voxels = nx * ny * nz
  if (voxels > MAX_VOXELS) {
    throw badFile(path, `states ${nx} x ${ny} x ${nz} voxels, more than can be annotated; crop or downsample it.`)
  }
  // A fourth axis of the room can only be time.
  const roles = kept.map((axis, at): FileAxis =>
    at >= first + 3 && axis.role === 'space' ? { ...axis, role: 'frame' } : axis,
  )
  const componentAxes = roles.filter(({ role }) => role === 'component')
  if (componentAxes.length > 1) throw badFile(path, 'has several axes of components, which cannot be shown; slice it.')
  const count = componentAxes[0]?.size ?? 1
  const frameSizes = roles.filter(({ role }) => role === 'frame').map(({ size }) => size)
  const frames = frameSizes.reduce((product, size) => product * size, 1)
  const kind = count === 1 ? null : components
  const chosen = choose(kind, count, frames, selection, path)
  const group = roles.slice(0, first).reduce((product, { size }) => product * size, 1)
  const offsets = chosen.components.map((component) => offsetOf(roles, chosen.frame, component))
  const fast = offsets.map((offset) => offset % group)
  const slow = offsets.map((offset) => offset - (offset % group))
  const planar = new Set(slow).size > 1
  return {
    ...{ dims: [nx, ny, nz], frameSizes, frames, components: count, kind, part: chosen.part, group },
    channels: kind === 'colour' ? 3 : 1,
    taken: planar ? fast.slice(0, 1) : fast,
    starts: planar ? slow : slow.slice(0, 1),
  }
}

function choose(
  kind: Components | null,
  count: number,
  frames: number,
  { frame = 0, channel = 0, part = 'magnitude' }: ImageSelection,
  path: string,
): { frame: number; components: number[]; part: ComplexPart | null } {
  if (frame >= frames) throw badFile(path, `has ${frames} frame${frames === 1 ? '' : 's'}; there is no frame ${frame}.`)
  if (kind === 'colour') return { frame, components: [0, 1, 2], part: null }
  if (kind === 'complex') return { frame, components: [0, 1], part }
  if (channel >= count) {
    throw badFile(path, `has ${count} channel${count === 1 ? '' : 's'}; there is no channel ${channel}.`)
  }
  return { frame, components: [channel], part: null }
}

/** Of the first sample of a frame and component, among all samples of the file. */
function offsetOf(axes: readonly FileAxis[], frame: number, component: number): number {
  let stride = 1
  let rest = frame
  let offset = 0
  for (const { size, role } of axes) {
    if (role === 'frame') {
      offset += (rest % size) * stride
      rest = Math.floor(rest / size)
    } else if (role === 'component') offset += component * stride
    stride *= size
  }
  return offset
}
