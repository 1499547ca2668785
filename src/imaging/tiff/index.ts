/** TIFF: pictures, stacks, microscope images and slides; and masks as TIFF. */
export { writeTiffStack } from './writeStack.ts'
export type { StackOptions, StackPage } from './writeStack.ts'
