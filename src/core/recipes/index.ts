/** What the data of recipes mean, the same in training, in evaluation and in the interface. */
export { labelsIn, mapMask, type MappedMask, type MaskMapping } from './mapping.ts'
export { keptWeights, type KeptWeights } from './keptWeights.ts'
export { objectsOf } from './objects.ts'
export { indicesOf, mergeObjects, type MergedObjects } from './mergeObjects.ts'
export { imageKey, isMaskName, maskKey } from './names.ts'
