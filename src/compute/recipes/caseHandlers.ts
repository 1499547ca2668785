import { CodedError } from '../../core/contract/errors.ts'
import { openCase, readTruth } from '../data/caseReader.ts'
import { lookThrough } from '../data/lookThrough.ts'
import type { ComputeHandlers } from '../server.ts'

/** What a project is made of: the cases of a recipe's data, and what they are. */
export function createCaseHandlers(): Pick<ComputeHandlers, 'listCases' | 'readTruth'> {
  return {
    async listCases(order, { signal, onProgress }) {
      const { cases, report } = await lookThrough(order, {
        signal,
        onProgress: (step, steps) => onProgress({ step, steps, point: null, secondsLeft: null }),
      })
      const learned = new Set(cases.flatMap(({ part, found }) => (part === 'holdout' ? [] : [found])))
      // A volume whose slices are parted is one case, and learned with some of its slices.
      const whole = new Map(cases.map((each) => [each.found, each]))
      return {
        cases: [...whole.values()].map(({ image, masks, found }) => ({
          id: found.files.id,
          learned: learned.has(found),
          image,
          masks: [...masks],
        })),
        labels: report.labels,
      }
    },
    async readTruth({ recipe, settings, image, masks }, { signal }) {
      const opened = await openCase({ image }, signal)
      try {
        const rules = { classes: recipe.classes, labels: settings.labels, objectLabel: null }
        const { dims, labels } = await readTruth({ masks, numbered: null }, opened, rules, signal)
        return { dims, labels }
      } catch (error) {
        if (signal.aborted) throw new CodedError('cancelled', 'Cancelled.')
        throw error
      } finally {
        await opened.voxels.close()
      }
    },
  }
}
