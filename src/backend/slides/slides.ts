import type { CaseDetail } from '../../core/contract/caseSchemas.ts'
import { CodedError } from '../../core/contract/errors.ts'
import type { SliceData } from '../../core/contract/schemas.ts'
import { robustRange, typeOf, type TiledImage, type VoxelArray } from '../../imaging/index.ts'
import type { PlaneView } from '../../core/geometry/index.ts'
import type { Cases } from '../project/cases.ts'
import type { ImageAccess } from '../volume/access.ts'
import { networkLayout } from '../volume/computeSlices.ts'
import { Leases } from '../volume/leases.ts'

/** Each holds a file open and a hundred MiB of tiles. */
const MAX_OPEN = 3
const IDLE_MS = 60_000

/** A whole slide, small. */
export interface Overview {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
  readonly samples: VoxelArray
  readonly slope: number
  readonly inter: number
  readonly range: { readonly low: number; readonly high: number; readonly min: number; readonly max: number }
}

/** Images that are too large to be opened as a whole: read tile by tile, never held. */
export class Slides {
  readonly #cases: Cases
  readonly #open: Leases<TiledImage>

  constructor(options: {
    cases: Cases
    /** The path of a case's image as it is now; throws CodedError('file-missing'). */
    locate: (caseId: string, signal?: AbortSignal) => Promise<string>
    open: ImageAccess['openTiled']
  }) {
    const { cases, locate, open } = options
    this.#cases = cases
    this.#open = new Leases<TiledImage>({
      open: async (caseId, signal) => {
        const path = await locate(caseId, signal)
        return open(path, { selection: cases.get(caseId).selection, signal })
      },
      close: (image) => image.close(),
      share: () => 1 / MAX_OPEN,
      idleMs: IDLE_MS,
    })
  }

  /** Throws CodedError: `bad-request` for a case that is no slide, `file-missing`, `bad-file`. */
  async use<R>(caseId: string, work: (image: TiledImage, signal: AbortSignal) => R | Promise<R>): Promise<R> {
    const { kind, name } = this.#cases.get(caseId)
    if (kind !== 'slide') throw new CodedError('bad-request', `"${name}" is not a slide; it is opened as a whole.`)
    return this.#open.use(caseId, work)
  }

  keep(caseId: string, image: TiledImage): void {
    this.#open.keep(caseId, image)
  }

  forget(caseId: string): void {
    this.#open.drop(caseId, { abort: true })
  }

  close(): Promise<void> {
    return this.#open.close()
  }

  /** Throws CodedError('bad-request') for a tile outside. */
  async tile(
    caseId: string,
    at: { readonly level: number; readonly column: number; readonly row: number },
    signal: AbortSignal,
  ): Promise<SliceData> {
    return this.use(caseId, async (image, ended) => {
      const either = AbortSignal.any([signal, ended])
      const { width, height, channels, data } = await image.tile(at.level, at.column, at.row, { signal: either })
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      const { slope, inter } = image.info
      return { width, height, channels, voxelType: typeOf(data), data: bytes, slope, inter }
    })
  }
}

/** Levels and tiles as the page is told of them. */
export function tilesOf(image: TiledImage): NonNullable<CaseDetail['tiles']> {
  return {
    width: image.tileWidth,
    height: image.tileHeight,
    levels: image.levels.map(({ width, height, downsample }) => ({ width, height, downsample })),
  }
}

/** The smallest level as a whole. */
export async function overviewOf(image: TiledImage, signal?: AbortSignal): Promise<Overview> {
  const level = image.levels.length - 1
  const { width = 1, height = 1 } = image.levels[level] ?? {}
  const pixels = await image.region(level, { x: 0, y: 0, width, height }, { signal })
  const { slope, inter } = image.info
  const { channels, data } = pixels
  const range = robustRange({ data, channels, slope, inter })
  return { width: pixels.width, height: pixels.height, channels, samples: data, slope, inter, range }
}

/** A picture as it is stored, pixels square. */
export function viewOfPicture({ width, height }: Pick<Overview, 'width' | 'height'>): PlaneView {
  return networkLayout([width, height, 1], null, [1, 1, 1])
}
