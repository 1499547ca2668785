/** The data of recipes: found, checked, parted, read when needed, and drawn from. */
export { openTrainingData, type OpenOptions } from './training.ts'
export { checkData } from './check.ts'
export { augmentationSheet } from './sheet.ts'
