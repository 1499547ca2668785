import { createHash } from 'node:crypto'

/** The name of a case's place in the page. */
export function anchor(id: string): string {
  return `case-${createHash('sha256').update(id).digest('hex').slice(0, 12)}`
}
