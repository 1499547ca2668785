import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { annotatorResults } from './learning/annotatorResults.ts'
import { candidateResults } from './learning/candidateResults.ts'
import { demoLoop } from './learning/demoLoop.ts'
import { forgettingResults } from './learning/forgettingResults.ts'
import { liveResults } from './learning/live.ts'
import type { BenchReport, BenchResult } from './support/report.ts'

const data = process.env.MASKWRIGHT_DATA ?? path.join(import.meta.dirname, '..', '..', 'shared', 'data')
const hippocampi = path.join(data, 'hippocampus')

const parts: Readonly<Record<string, () => Promise<BenchResult[]>>> = {
  loop: () => demoLoop(),
  live: () => liveResults(),
  annotator: () => annotatorResults(hippocampi),
  forgetting: () => forgettingResults(hippocampi),
  promotion: () => candidateResults(hippocampi),
}

/** On real volumes; the others measure data that the project makes itself. */
const real = new Set(['annotator', 'forgetting', 'promotion'])

/**
 * Predict, correct, retrain on the demo project; the brush while Live trains; and, on the volumes of the folder that
 * MASKWRIGHT_DATA names, a simulated annotator, moving on to data of another look, and the promotion of candidates.
 * MASKWRIGHT_LEARNING names the parts to measure, with commas; what was found before for the others stays, with the machine
 * and the day that it was found on.
 */
export async function suite(): Promise<BenchResult[]> {
  const only = process.env.MASKWRIGHT_LEARNING?.split(',')
  const unknown = only?.filter((name) => !Object.hasOwn(parts, name)) ?? []
  if (unknown.length > 0)
    throw new Error(`There is no part ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}.`)
  const results: BenchResult[] = []
  const kept = await found()
  for (const [name, measure] of Object.entries(parts)) {
    const wanted = (only === undefined || only.includes(name)) && (!real.has(name) || existsSync(hippocampi))
    results.push(...(wanted ? await measure() : kept.filter((result) => result.name.startsWith(`${name}: `))))
  }
  return results
}

async function found(): Promise<readonly BenchResult[]> {
  const file = path.join(import.meta.dirname, 'results', 'learning.json')
  if (!existsSync(file)) return []
  const { results, machine } = JSON.parse(await readFile(file, 'utf8')) as BenchReport
  return results.map((result) => ({ ...result, machine: result.machine ?? machine }))
}
