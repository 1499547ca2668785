import { CodedError } from '../../core/contract/errors.ts'
import type { Handlers } from '../../core/contract/methods.ts'
import type { Services } from '../services.ts'

/** Slides: images that are shown tile by tile. */
export function slideHandlers(_services: Services): Pick<Handlers, 'slide.tile' | 'slide.addRegion'> {
  return { 'slide.tile': notYet, 'slide.addRegion': notYet }
}

async function notYet(): Promise<never> {
  throw new CodedError('unknown-method', 'This cannot be done yet.')
}
