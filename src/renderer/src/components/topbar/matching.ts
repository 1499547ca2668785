/**
 * How well a name answers what was typed: lower is better, null when it does not. Every typed word must begin a word of
 * the name, or stand inside of it; the earlier in the name, the better.
 */
export function matchRank(name: string, typed: string): number | null {
  const text = name.toLowerCase()
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean)
  let rank = 0
  for (const word of words) {
    const at = text.indexOf(word)
    if (at < 0) return null
    const begins = at === 0 || new RegExp(`(^|[\\s._-])${escapeRegExp(word)}`).test(text)
    rank += at + (begins ? 0 : 100)
  }
  return rank
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
