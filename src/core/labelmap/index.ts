/** Label maps: boxes and slices of labels, changes as runs, and the colours of labels. */
export * from './box.ts'
export * from './runs.ts'
export * from './apply.ts'
export * from './colors.ts'
