import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { findPlaces } from '../../backend/host/places.ts'
import { recipeSettingNames } from './settingNames.ts'

it('every setting is in the guide to recipes, and no other', async () => {
  const text = await readFile(join(findPlaces().root, 'docs', 'recipes.md'), 'utf8')
  const names = recipeSettingNames().map(({ name }) => name)
  expect(names.filter((name) => !text.includes(`\`${name}\``))).toEqual([])
  const named = [
    ...text.matchAll(/`((?:model|input|loss|optimizer|augmentation|training|inference|instances|split)\.[\w.]+)/g),
  ]
  const known = (name = ''): boolean =>
    name === 'model.json' || names.some((each) => each === name || each.startsWith(`${name}.`))
  expect(named.map(([, name]) => name).filter((name) => !known(name))).toEqual([])
})
