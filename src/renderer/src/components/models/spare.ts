import type { ModelSummary } from '../../../../core/contract/index.ts'

/** A version that is known with its parent. */
interface Known {
  readonly models: readonly ModelSummary[]
  /** Where Roll back leads; null: nowhere. */
  readonly previousId: string | null
  /** What versions are named after where nobody names them. */
  readonly projectName: string
}

/**
 * Versions that nobody would miss: their judgement kept them aside, and neither the one in use, nor Roll back, nor anything that a
 * person wrote of them speaks for them. Came with the project or from a file: somebody else's, so not among them.
 */
export function spareVersions({ models, previousId, projectName }: Known): ModelSummary[] {
  const needed = new Set(previousId === null ? [] : [previousId])
  for (const { id } of models.filter(({ active }) => active)) for (const one of lineOf(models, id)) needed.add(one.id)
  return models.filter(
    (one) =>
      one.judged?.verdict === 'aside' &&
      !one.pruned &&
      !needed.has(one.id) &&
      madeHere(one) &&
      one.tags.length === 0 &&
      one.notes.trim() === '' &&
      !hasOwnName(models, one, projectName),
  )
}

const madeHere = ({ mode, imported }: ModelSummary): boolean => !imported && mode !== 'imported' && mode !== 'shipped'

/** Training hands a name down; without a parent it is that of the project. In doubt the name was given. */
function hasOwnName(models: readonly ModelSummary[], { id, name }: ModelSummary, projectName: string): boolean {
  const [, ...ancestors] = lineOf(models, id)
  return name !== projectName && !ancestors.some((one) => one.name === name)
}

/** The version and what it goes on from, back to the first that is known. */
function lineOf(models: readonly ModelSummary[], id: string): ModelSummary[] {
  const line: ModelSummary[] = []
  let at = models.find((one) => one.id === id)
  while (at !== undefined && !line.includes(at)) {
    line.push(at)
    const { parentId } = at
    at = models.find((one) => one.id === parentId)
  }
  return line
}
