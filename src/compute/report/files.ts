import { createHash } from 'node:crypto'

/** A file name from the id of a case, which can hold anything; two ids never give the same one. */
export function figureName(kind: string, id: string): string {
  const plain = id.replaceAll(/[^A-Za-z0-9-]+/g, '-').replaceAll(/^-+|-+$/g, '')
  const short = plain.slice(0, 60)
  const exact = short === id
  const digest = createHash('sha256').update(id).digest('hex').slice(0, 8)
  return `${kind}-${short === '' ? 'case' : short}${exact ? '' : `.${digest}`}.png`
}
