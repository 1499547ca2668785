import { describedInfo, openDescribed } from '../described/index.ts'
import type { ImageReader } from '../registry.ts'
import { describeMeta } from './describe.ts'

/** MetaImage: .mha with its voxels, .mhd beside them. */
export const metaImageReader: ImageReader = {
  info: async (path, options) => describedInfo(await describeMeta(path), options),
  read: async (path, options) => openDescribed(await describeMeta(path), options),
  files: async (path) => {
    const { samples } = await describeMeta(path)
    return [...new Set([path, ...samples.parts.map((part) => part.path)])].sort()
  },
}
