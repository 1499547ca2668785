import type { SQLOutputValue } from 'node:sqlite'

/** Typed reading of SQLite rows: a column of another type is a defect of ours or a damaged file, never a silent NaN. */
export type Row = Record<string, SQLOutputValue>

export function text(row: Row, column: string): string {
  const value = row[column]
  if (typeof value !== 'string') throw wrong(column, value)
  return value
}

export function textOrNull(row: Row, column: string): string | null {
  return row[column] === null ? null : text(row, column)
}

export function int(row: Row, column: string): number {
  const value = row[column]
  if (typeof value !== 'number' || !Number.isInteger(value)) throw wrong(column, value)
  return value
}

export function intOrNull(row: Row, column: string): number | null {
  return row[column] === null ? null : int(row, column)
}

export function real(row: Row, column: string): number {
  const value = row[column]
  if (typeof value !== 'number') throw wrong(column, value)
  return value
}

export function realOrNull(row: Row, column: string): number | null {
  return row[column] === null ? null : real(row, column)
}

export function flag(row: Row, column: string): boolean {
  return int(row, column) !== 0
}

export function blob(row: Row, column: string): Uint8Array {
  const value = row[column]
  if (!(value instanceof Uint8Array)) throw wrong(column, value)
  return value
}

export function blobOrNull(row: Row, column: string): Uint8Array | null {
  return row[column] === null ? null : blob(row, column)
}

/** A column that holds JSON, still to be checked by whoever knows its shape. */
export function json(row: Row, column: string): unknown {
  return JSON.parse(text(row, column))
}

function wrong(column: string, value: unknown): Error {
  return new Error(`column ${column} holds ${value === null ? 'null' : typeof value}`)
}
