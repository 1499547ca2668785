import { badFile } from '../../imaging/files.ts'
import type { OpenTiled } from './slides.ts'

export const openTiled: OpenTiled = (path) => Promise.reject(badFile(path, 'cannot be shown tile by tile yet.'))
