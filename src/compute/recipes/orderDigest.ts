import { canonical, sha256 } from '../models/checksums.ts'
import type { RecipeOrder } from '../../core/contract/compute.ts'
import type { TrainingData } from './types.ts'

/**
 * What the numbers of a training hang on, in parts: the recipe's classes, every setting by its dotted name, the seed, and the
 * data. Values are texts, short enough to be kept and compared.
 */
export function orderDigest(order: RecipeOrder, data: TrainingData): Record<string, string> {
  const { recipe, settings, limit, seed } = order
  const { name, classes, layouts, patient } = recipe
  return {
    recipe: name,
    classes: canonical({ classes, layouts, patient }),
    seed: String(seed),
    limit: String(limit),
    data: sha256(canonical([data.data.sha256, data.labels, data.cases.map(({ id, part }) => [id, part]).sort()])),
    ...flattened(settings),
  }
}

/** Leaves of an object by their dotted names; arrays are leaves. */
function flattened(value: object, prefix = ''): Record<string, string> {
  const parts = Object.entries(value).map(([name, each]: [string, unknown]): Record<string, string> => {
    const key = prefix + name
    return typeof each === 'object' && each !== null && !Array.isArray(each)
      ? flattened(each, `${key}.`)
      : { [key]: canonical(each ?? null) }
  })
  return Object.assign({}, ...parts) as Record<string, string>
}

/** Names of the parts that differ, sorted. */
export function differences(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => a[key] !== b[key]).sort()
}

interface Computes {
  readonly backend: string
  readonly threads: number
}

/** What to say where a training goes on with another backend, or another number of threads, than it began with; else null. */
export function otherMachine(begun: Computes, now: Computes): string | null {
  const name = ({ backend, threads }: Computes): string =>
    begun.threads === now.threads ? backend : `${backend} with ${threads} ${threads === 1 ? 'thread' : 'threads'}`
  if (begun.backend === now.backend && begun.threads === now.threads) return null
  return `This training began on ${name(begun)} and goes on with ${name(now)}: its numbers need not be those of an unbroken run.`
}
