/** Volumes whose samples a text header describes: what NRRD and MetaImage have in common. */
export { describedInfo, openDescribed, type Described } from './open.ts'
export type { Components, FileAxis } from './axes.ts'
export { elementBytes, type ElementType } from './elements.ts'
export { dataPath, patternNames, shown, type Encoding, type Part, type Samples } from './parts.ts'
export { affineOf, LPS_TO_RAS, type Frame } from './frame.ts'
export { numbersOf } from './text.ts'
