import { describedInfo, openDescribed } from '../described/index.ts'
import type { ImageReader } from '../registry.ts'
import { describeNrrd } from './describe.ts'

/** NRRD, versions 1 to 5: the samples behind the header, or in files of their own. */
export const nrrdReader: ImageReader = {
  info: async (path, options) => describedInfo(await describeNrrd(path), options),
  read: async (path, options) => openDescribed(await describeNrrd(path), options),
  files: async (path) => {
    const { samples } = await describeNrrd(path)
    return [...new Set([path, ...samples.parts.map((part) => part.path)])].sort()
  },
}
