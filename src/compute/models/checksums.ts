import { createHash } from 'node:crypto'

/** SHA-256 in lower-case hexadecimal of the parts one after the other. */
export function sha256(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

/**
 * The checksum that a card holds of itself: of its JSON without `checksums.card`, keys sorted by code unit at every
 * depth, without white space, so that another program can form it too. Numbers are written as JavaScript writes them.
 */
export function sealOf(card: unknown): string {
  if (!isObject(card)) return sha256(canonical(card))
  const { checksums, ...facts } = card
  const others = isObject(checksums) ? Object.entries(checksums).filter(([name]) => name !== 'card') : []
  return sha256(canonical({ ...facts, checksums: Object.fromEntries(others) }))
}

/** JSON with keys sorted at every depth and without white space. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (!isObject(value)) return JSON.stringify(value)
  const entries = Object.entries(value)
    .filter(([, each]) => each !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([name, each]) => `${JSON.stringify(name)}:${canonical(each)}`).join(',')}}`
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
