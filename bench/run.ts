/**
 *     npm run bench -- SUITE…          (compute, durability, io, learning, recipes, viewer; all where none is named)
 *
 * Measures on this machine and writes bench/results/SUITE.json.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describeMachine, type BenchReport, type Suite } from './support/report.ts'

const suites: Readonly<Record<string, () => Promise<{ suite: Suite }>>> = {
  compute: () => import('./compute.ts'),
  durability: () => import('./durability.ts'),
  io: () => import('./io.ts'),
  learning: () => import('./learning.ts'),
  recipes: () => import('./recipes.ts'),
  viewer: () => import('./viewer.ts'),
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !Object.hasOwn(suites, name))
if (unknown.length > 0) {
  console.error(`error: no suite ${unknown.join(', ')}; there are ${Object.keys(suites).join(', ')}.`)
  process.exit(2)
}
const folder = path.join(import.meta.dirname, 'results')
await mkdir(folder, { recursive: true })
for (const [name, load] of Object.entries(suites)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const { suite } = await load()
  const report: BenchReport = { suite: name, machine: describeMachine(), results: await suite() }
  await writeFile(path.join(folder, `${name}.json`), `${JSON.stringify(report, null, 2)}\n`)
  console.log(name)
  for (const { name: what, params, median, p95, unit, reference, ratio, budget } of report.results) {
    const against = reference === null ? '' : `, ${String(ratio)} x ${reference.name} (${reference.median} ${unit})`
    const bound = budget === undefined ? '' : ` [budget: ${budget}]`
    console.log(`  ${what} ${JSON.stringify(params)}: median ${median} ${unit}, p95 ${p95} ${unit}${against}${bound}`)
  }
}
process.exit(0)
