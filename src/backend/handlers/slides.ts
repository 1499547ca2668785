import type { Handlers } from '../../core/contract/methods.ts'
import type { Services } from '../services.ts'

/** Slides: images that are shown tile by tile. */
export function slideHandlers({ slides, worklist, news }: Services): Pick<Handlers, 'slide.tile' | 'slide.addRegion'> {
  return {
    'slide.tile': ({ caseId, ...at }, { signal }) => slides.tile(caseId, at, signal),
    'slide.addRegion': async ({ caseId, region }, { signal }) => {
      const added = await worklist.addRegion(caseId, region, signal)
      news.projectChanged()
      return added
    },
  }
}
