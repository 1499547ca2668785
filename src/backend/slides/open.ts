import { openTiled as open } from '../../imaging/index.ts'
import type { OpenTiled } from './slides.ts'

export const openTiled: OpenTiled = open
