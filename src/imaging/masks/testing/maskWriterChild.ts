import { join } from 'node:path'
import { CodedError } from '../../../core/contract/errors.ts'
import { maskFormatSchema } from '../../../core/contract/schemas.ts'
import { readImage, writeMaskAs } from '../../index.ts'

/**
 * Writes masks of `image` into `folder` in turn: all 1, all 2, all 1 … of changing noise. `rounds` 0: until it is killed. Prints "ready" after
 * the first, and the error that ends it as JSON.
 */
const [folder = '', imagePath = '', name = '', format = '', rounds = '0'] = process.argv.slice(2)
const image = await readImage(imagePath)
const voxels = image.dims[0] * image.dims[1] * image.dims[2]
try {
  for (let round = 1; rounds === '0' || round <= Number(rounds); round++) {
    const value = 1 + (round % 2)
    // Noise, so that packing does not make it small.
    let seed = round
    const labels = Uint8Array.from({ length: voxels }, () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
      return seed & 65536 ? value : 0
    })
    const path = join(folder, format === 'instances' ? `${name}-${round}` : name)
    await writeMaskAs(path, maskFormatSchema.parse(format), labels, image)
    if (round === 1) process.stdout.write('ready\n')
  }
} catch (error) {
  const told = error instanceof CodedError ? { code: error.code, message: error.message } : { message: String(error) }
  process.stdout.write(`${JSON.stringify(told)}\n`)
}
