import { expect, it } from 'vitest'
import { inputPixels } from './batchSize.ts'
import type { ModelCard } from '../../core/contract/compute.ts'

const same: ModelCard['architecture'] = { name: 'unet', levels: 4, base: 8, inputChannels: 1, step: 16 }
const valid: ModelCard['architecture'] = { ...same, convolutions: 'valid', margin: 92 }

it('a step is as large as what goes into the network, with the surroundings that valid convolutions cut off', () => {
  const slices = [
    { width: 388, height: 100 },
    { width: 200, height: 388 },
  ]
  expect(inputPixels(same, slices, null)).toBe(208 * 400)
  expect(inputPixels(valid, slices, null)).toBe(396 * 572)
  expect(inputPixels(same, slices, 250)).toBe(256 ** 2)
  expect(inputPixels(valid, slices, 572)).toBe(572 ** 2)
})
