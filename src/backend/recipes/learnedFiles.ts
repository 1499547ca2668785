import type { RecipeOrder } from '../../core/contract/compute.ts'
import { CodedError } from '../../core/contract/errors.ts'
import type { ComputePort } from '../compute/port.ts'
import { hashOfPlace, placeOf } from '../volume/identity.ts'
import { findImage } from '../worklist/source.ts'

/** An image among the data of a recipe. */
export interface DataFile {
  /** As the recipe calls it. */
  readonly id: string
  /** It is, or for a volume whose slices are parted some of it. */
  readonly learned: boolean
  /** What the worklist knows images by; null where it could not be read. */
  readonly contentHash: string | null
}

interface Looking {
  readonly signal: AbortSignal
  /** So many images of so many are looked through. */
  readonly tell: (done: number, of: number) => void
}

/**
 * What a training of this order learns from, and what it holds out: its own list of files, whatever the project has of them. Takes its
 * turn at compute from whoever calls. Throws what compute says of the data, and CodedError('cancelled').
 */
export async function dataFilesOf(
  compute: ComputePort,
  order: RecipeOrder,
  { signal, tell }: Looking,
): Promise<DataFile[]> {
  const { cases } = await compute.call('listCases', order, {
    signal,
    onProgress: ({ step, steps }) => tell(step, steps),
  })
  const files: DataFile[] = []
  for (const { id, learned, image } of cases) {
    files.push({ id, learned, contentHash: await hashOf(image, signal) })
  }
  return files
}

async function hashOf(image: string, signal: AbortSignal): Promise<string | null> {
  try {
    const { path, files } = await findImage(image, {}, signal)
    return await hashOfPlace(await placeOf(path, files), signal)
  } catch (error) {
    if (signal.aborted || !(error instanceof CodedError)) throw error
    return null
  }
}
