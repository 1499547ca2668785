import { expect } from 'vitest'
import { CodedError } from '../../../core/contract/errors.ts'
import type { ImageSelection } from '../../../core/contract/schemas.ts'
import { readImage } from '../../index.ts'

/** All voxels of a file. */
export async function voxelsOf(path: string, selection?: ImageSelection): Promise<number[]> {
  const image = await readImage(path, { selection })
  const all = [...(await image.voxels.all())]
  await image.voxels.close()
  return all
}

/** What an action fails with: a coded error, whose message must be sentences on one line. */
export async function errorOf(action: Promise<unknown>): Promise<CodedError> {
  const thrown = await action.then(
    () => null,
    (error: unknown) => error,
  )
  if (!(thrown instanceof CodedError)) throw new Error('expected a coded error', { cause: thrown })
  expect(thrown.message).toMatch(/^[^\n]+\.$/)
  return thrown
}
