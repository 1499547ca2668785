/** So many of the items, evenly spread over all of them, in their order; all where there are no more. */
export function spread<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items]
  return Array.from({ length: count }, (_, at) => items[Math.floor(((at + 0.5) * items.length) / count)]).filter(
    (item) => item !== undefined,
  )
}
