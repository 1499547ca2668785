import { settingFormWords as words } from '../../i18n/recipeSettings.ts'
import type { SettingControl } from './settingRows.ts'

/** What was typed for a setting, read: its value, or why it is none. */
export type Typed = { readonly value: unknown } | { readonly problem: string }

type NumberControl = Extract<SettingControl, { kind: 'number' }>

/** A field's text of a value: numbers as they are written in settings, lists with commas, null as nothing. */
export function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.join(', ')
  return typeof value === 'number' || typeof value === 'string' ? String(value) : ''
}

/** Reads a field of one value. `name` stands in the sentences. */
export function readTyped(text: string, control: SettingControl, name: string): Typed {
  const trimmed = text.trim()
  if (control.kind === 'number') return readNumber(trimmed, control, name)
  if (control.kind === 'numbers') return readNumbers(trimmed, name)
  return { value: trimmed === '' ? null : trimmed }
}

/** Reads the two fields of a range. */
export function readRange(low: string, high: string, name: string): Typed {
  const [from, to] = [numberOf(low), numberOf(high)]
  if (from === null || to === null) return { problem: words.number(name) }
  return from > to ? { problem: words.order(name) } : { value: [from, to] }
}

function readNumber(text: string, control: NumberControl, name: string): Typed {
  if (text === '') return control.empty ? { value: null } : { problem: words.needed(name) }
  const value = numberOf(text)
  if (value === null) return { problem: words.number(name) }
  if (control.integer && !Number.isInteger(value)) return { problem: words.whole(name) }
  const { min, max, aboveMin } = control
  if (min !== null && aboveMin && value <= min) return { problem: words.above(name, min) }
  if (min !== null && value < min) return { problem: words.atLeast(name, min) }
  if (max !== null && value > max) return { problem: words.atMost(name, max) }
  return { value }
}

function readNumbers(text: string, name: string): Typed {
  if (text === '') return { value: null }
  const values = text.split(/[\s,;]+/).map(numberOf)
  const whole = values.every((one) => one !== null && Number.isInteger(one) && one >= 1)
  return whole ? { value: values } : { problem: words.wholes(name) }
}

/** A decimal comma is one, too: lists are read elsewhere. */
function numberOf(text: string): number | null {
  const clean = text.trim().replace(',', '.')
  const value = Number(clean)
  return clean === '' || !Number.isFinite(value) ? null : value
}
