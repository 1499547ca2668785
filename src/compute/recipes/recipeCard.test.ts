import { expect, it } from 'vitest'
import { recipeSettingsSchema } from '../../core/contract/recipes.ts'
import { orderFor } from '../data/testing/folders.ts'
import { recipeCard } from './recipeCard.ts'
import type { InferenceSettings, RecipeSettings } from '../../core/contract/recipes.ts'
import type { SliceRef, TrainingCase } from './types.ts'

type Planes = RecipeSettings['planes']

/** The planes that the card says to predict in, of a training that learned from slices of some. */
function planesOf(asked: InferenceSettings['planes'], learned: Planes, parted = false): Planes | undefined {
  const { settings, ...rest } = orderFor('')
  const each = { ...{ id: 'a', patient: 'a', image: '', masks: [], part: 'train' as const } }
  const cases: TrainingCase[] = [parted ? { ...each, only: { axis: 1, indices: [0] } } : each]
  const slices = learned.map((plane, index): SliceRef => ({
    ...{ caseId: 'a', part: 'train', index, plane, width: 1, height: 1 },
  }))
  const card = recipeCard({
    order: { ...rest, settings: recipeSettingsSchema.parse({ ...settings, inference: { planes: asked } }) },
    data: { cases, slices: () => slices, labels: [], input: {}, spacing: null, data: null },
    ...{ network: { countParams: () => 1 }, architecture: {}, meaning: { border: false } },
    header: { history: [], best: null, batch: 1 },
    machine: { device: { name: '' }, versions: {} },
  } as unknown as Parameters<typeof recipeCard>[0])
  return card.handling?.inference.planes
}

it('a card says to predict in planes that were learned from', () => {
  expect(planesOf(['training'], ['training'])).toEqual(['training'])
  expect(planesOf(['training', 'coronal'], ['axial', 'coronal'])).toEqual(['training', 'coronal'])
  expect(planesOf(['training'], ['coronal', 'sagittal', 'coronal'])).toEqual(['coronal', 'sagittal'])
  expect(planesOf(['training', 'coronal'], ['coronal', 'oblique'])).toEqual(['coronal', 'oblique'])
  // Whoever asks for another plane gets it, but where slices of one were parted.
  expect(planesOf(['sagittal'], ['coronal'])).toEqual(['sagittal'])
  expect(planesOf(['axial', 'coronal'], ['coronal', 'coronal'], true)).toEqual(['coronal'])
})
