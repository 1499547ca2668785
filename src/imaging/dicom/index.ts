import type { ImageReader } from '../registry.ts'
import { dicomFiles, dicomInfo, readDicom } from './read.ts'

export { listSeries, type DicomSeries } from './read.ts'

export const dicomReader: ImageReader = { info: dicomInfo, read: readDicom, files: dicomFiles }
