import { escaped } from './drawing/chart.ts'
import { flatSettings } from './settings.ts'
import { durationText } from './words.ts'
import type { CasePart } from '../../core/contract/recipes.ts'
import type { RecipeReport } from '../../core/contract/report.ts'

const PARTS: readonly (readonly [CasePart, string])[] = [
  ['train', 'Learned from'],
  ['validation', 'Validation'],
  ['holdout', 'Held out, never seen in training'],
]

export function settingsSection({ settings, recipe, preset }: RecipeReport): string {
  const rows = flatSettings(settings).map(
    ([name, value]) => `<tr><th scope="row">${escaped(name)}</th><td>${escaped(value)}</td></tr>`,
  )
  return `<section><h2>Settings</h2><p>${escaped(recipe.article)}</p><p class="note">Preset ${preset}. Each can be given on the command line: <code>--set model.base=16</code>.</p><details><summary>All ${rows.length} settings</summary><div class="scroll"><table class="text"><tbody>${rows.join('')}</tbody></table></div></details></section>`
}

/** Who was learned from and who was not, and what was left out. */
export function dataSection({ split, left, remarks }: RecipeReport): string {
  const parts = PARTS.map(([part, name]) => {
    const cases = split.filter((each) => each.part === part)
    const patients = new Set(cases.map(({ patient }) => patient)).size
    const people = patients === cases.length ? '' : ` of ${patients} ${patients === 1 ? 'patient' : 'patients'}`
    const ids = cases.map(({ id }) => escaped(id)).join(', ')
    return `<details><summary>${name}: ${cases.length} ${cases.length === 1 ? 'case' : 'cases'}${people}</summary><p class="ids">${ids}</p></details>`
  })
  const leftOut =
    left.length === 0
      ? ''
      : `<details open><summary>Left out: ${left.length} ${left.length === 1 ? 'file' : 'files'}</summary><ul>${left.map(({ file, reason }) => `<li><b>${escaped(file)}</b> ${escaped(reason)}</li>`).join('')}</ul></details>`
  const said = remarks.length === 0 ? '' : `<ul>${remarks.map((remark) => `<li>${escaped(remark)}</li>`).join('')}</ul>`
  return `<section><h2>Data</h2>${parts.join('')}${leftOut}${said}</section>`
}

export function machineSection({ machine, model }: RecipeReport): string {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`)
  const facts: readonly (readonly [string, string])[] = [
    ['Model', `${model.id}, ${model.parameters.toLocaleString('en')} parameters`],
    ['Backend', machine.backend],
    ['Device', machine.device ?? 'not known'],
    ['Threads', String(machine.threads)],
    ['Seed', String(machine.seed)],
    ['Training', durationText(machine.seconds)],
    ['Versions', versions.join(', ')],
  ]
  const rows = facts.map(([name, value]) => `<tr><th scope="row">${name}</th><td>${escaped(value)}</td></tr>`)
  return `<section><h2>Computer</h2><div class="scroll"><table class="text"><tbody>${rows.join('')}</tbody></table></div></section>`
}
