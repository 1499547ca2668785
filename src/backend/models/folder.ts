import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readModelCard, type ModelCard } from '../../core/contract/compute.ts'
import { CodedError } from '../../core/contract/errors.ts'
import { REPORT_FILE, REPORT_FOLDER } from '../../core/contract/report.ts'

/** Does the model folder hold what its training came to? */
export function hasReport(dir: string): boolean {
  return existsSync(join(dir, REPORT_FOLDER, REPORT_FILE))
}

/**
 * The card of a complete model folder. Throws CodedError: 'bad-file' where a part is missing or the card is none that
 * this version reads. Whether the network fits it is found out by whoever loads it.
 */
export function readModelFolder(dir: string): ModelCard {
  const file = join(dir, 'card.json')
  refuseMissing(dir, ['card.json'])
  const card = readModelCard(readFileSync(file, 'utf8'), file)
  refuseMissing(dir, card.onnx === undefined ? ['model.json', 'weights.bin'] : ['model.onnx'])
  return card
}

function refuseMissing(dir: string, names: readonly string[]): void {
  const missing = names.find((name) => !existsSync(join(dir, name)))
  if (missing === undefined) return
  throw new CodedError('bad-file', `The model folder lacks "${missing}"; train or import again.`, { detail: dir })
}

/** The files of a folder and of those inside it: paths with "/" from `dir`, sorted, and their bytes. */
export function filesOf(dir: string): { path: string; bytes: number }[] {
  const names = existsSync(dir) ? readdirSync(dir, { recursive: true, withFileTypes: true }) : []
  return names
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path: path.slice(dir.length + 1).replaceAll('\\', '/'), bytes: statSync(path).size }))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
}

/**
 * The files that make the network: the card, and the layers with their weights, or a network from elsewhere. Of all else in the
 * folder, what a training was reported to come to and its tables, much names cases or shows them.
 */
export function networkFilesOf(dir: string): { path: string; bytes: number }[] {
  return filesOf(dir).filter(({ path }) => isOfNetwork(path))
}

/** A path inside of a model folder, with "/". */
export function isOfNetwork(path: string): boolean {
  return /^(card\.json|model\.json|model\.onnx|[^/]+\.bin)$/.test(path)
}

/** Removes the network of a version. What its training was reported to come to stays. */
export function stripFolder(dir: string): void {
  const kept = hasReport(dir) ? [REPORT_FOLDER] : []
  for (const name of existsSync(dir) ? readdirSync(dir) : []) {
    if (!kept.includes(name)) rmSync(join(dir, name), { recursive: true, force: true })
  }
  if (kept.length === 0) rmSync(dir, { recursive: true, force: true })
}
