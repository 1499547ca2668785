/** Settings by their dotted names, as they are given on the command line. */
export function flatSettings(value: unknown, name = ''): [string, string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [[name, typeof value === 'string' ? value : JSON.stringify(value)]]
  }
  return Object.entries(value).flatMap(([key, part]) => flatSettings(part, name === '' ? key : `${name}.${key}`))
}
