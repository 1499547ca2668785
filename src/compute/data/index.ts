/** The data of recipes: found, checked, parted, read when needed, and drawn from. */
export { openTrainingData, type OpenOptions } from './training.ts'
