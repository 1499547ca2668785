import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { ESLint } from 'eslint'
import { afterEach, describe, expect, it } from 'vitest'

/**
 * The house rules are lint errors. These tests write offending files where the rule should bite and run the real
 * configuration over them.
 */
const root = join(import.meta.dirname, '..')
const made: string[] = []

afterEach(async () => {
  for (const folder of made.splice(0)) await rm(folder, { recursive: true, force: true })
})

async function rulesHit(layer: string, files: Record<string, string>): Promise<string[]> {
  await mkdir(join(root, 'src', layer), { recursive: true })
  const folder = await mkdtemp(join(root, 'src', layer, 'lint-probe-'))
  made.push(folder)
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  // The probe files are no part of a TypeScript project, so rules that need types are left out here.
  const eslint = new ESLint({
    cwd: root,
    overrideConfig: {
      files: ['**/lint-probe-*/**'],
      languageOptions: { parserOptions: { project: null, projectService: false, programs: null } },
      rules: Object.fromEntries(await typeAwareRules()),
    },
  })
  const results = await eslint.lintFiles([`${relative(root, folder)}/**/*.{ts,vue}`])
  return results.flatMap((result) => result.messages.map((message) => message.ruleId ?? `fatal: ${message.message}`))
}

async function typeAwareRules(): Promise<[string, 'off'][]> {
  const { default: tseslint } = await import('typescript-eslint')
  const rules: [string, 'off'][] = Object.keys(tseslint.configs.disableTypeChecked.rules ?? {}).map((rule) => [
    rule,
    'off',
  ])
  return rules
}

describe('import rules', () => {
  it.each([
    [
      'core',
      "import { open } from '../../imaging/index.ts'\nexport const probe = open\n",
      'import-x/no-restricted-paths',
    ],
    ['imaging', "import { x } from '../../backend/index.ts'\nexport const probe = x\n", 'import-x/no-restricted-paths'],
    ['backend', "import * as tf from '@tensorflow/tfjs-core'\nexport const probe = tf\n", 'no-restricted-imports'],
    ['server', "import { app } from 'electron'\nexport const probe = app\n", 'no-restricted-imports'],
    ['core', "import { join } from 'node:path'\nexport const probe = join\n", 'no-restricted-imports'],
    ['core', 'export const probe = document.title\n', 'no-restricted-globals'],
    ['renderer', "import { readFile } from 'node:fs'\nexport const probe = readFile\n", 'no-restricted-imports'],
  ])('src/%s may not: %s', async (layer, text, rule) => {
    const target = /from '(\.\.\/\.\.\/[^']+)'/.exec(text)?.[1]
    if (target !== undefined) {
      // The forbidden module must exist for its path to be resolved; a neighbour of it is not needed.
      const { existsSync } = await import('node:fs')
      expect(existsSync(join(root, 'src', layer, target.replace('../', ''))), `${target} exists`).toBe(true)
    }
    expect(await rulesHit(layer, { 'probe.ts': text })).toContain(rule)
  })

  it('an allowed import passes', async () => {
    const text = "import { CodedError } from '../../core/contract/errors.ts'\nexport const probe = CodedError\n"
    expect(await rulesHit('imaging', { 'probe.ts': text })).toEqual([])
  })

  it('a cycle is an error', async () => {
    const rules = await rulesHit('core', {
      'a.ts': "import { b } from './b.ts'\nexport const a = (): number => b()\n",
      'b.ts': "import { a } from './a.ts'\nexport const b = (): number => a()\n",
    })
    expect(rules.filter((rule) => rule === 'import-x/no-cycle')).toHaveLength(2)
  })

  it('a cycle through components is an error', async () => {
    const component = (other: string) =>
      `<script setup lang="ts">\nimport Other from './${other}.vue'\n</script>\n\n<template><Other /></template>\n`
    const rules = await rulesHit('renderer', { 'A.vue': component('B'), 'B.vue': component('A') })
    expect(rules.filter((rule) => rule === 'import-x/no-cycle')).toHaveLength(2)
  })

  it('any is an error', async () => {
    expect(await rulesHit('core', { 'probe.ts': 'export const probe = (x: any): string => String(x)\n' })).toContain(
      '@typescript-eslint/no-explicit-any',
    )
  })
})
