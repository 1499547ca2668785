export { convertImage, convertTarget, type Converted, type ConvertOptions } from './convert.ts'
export { datatypes, type WrittenType } from './samples.ts'
