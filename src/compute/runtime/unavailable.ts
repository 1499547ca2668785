/** Why a rung cannot be used here: for the user, with the remedy, and for those who look closer. */
export interface Refusal {
  /** One sentence, in plain words. */
  readonly reason: string
  /** What to do about it, a sentence; null where nothing need or can be done. */
  readonly remedy: string | null
  /** The last lines that a library printed, a stack: shown behind a disclosure. */
  readonly detail: string | null
}

/** Thrown by what starts a rung. */
export class RungUnavailable extends Error {
  readonly remedy: string | null
  readonly detail: string | null

  constructor(reason: string, remedy: string | null = null, options: { detail?: string; cause?: unknown } = {}) {
    super(reason, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'RungUnavailable'
    this.remedy = remedy
    this.detail = options.detail ?? null
  }
}

/** Whatever a rung's start threw. */
export function refusalOf(thrown: unknown): Refusal {
  if (!(thrown instanceof Error)) return { reason: asSentence(String(thrown)), remedy: null, detail: null }
  const remedy = 'remedy' in thrown && typeof thrown.remedy === 'string' ? thrown.remedy : null
  const told = thrown instanceof RungUnavailable
  return { reason: asSentence(thrown.message), remedy, detail: told ? thrown.detail : (thrown.stack ?? null) }
}

/** Reason and remedy in a row. */
export function refusalText({ reason, remedy }: Pick<Refusal, 'reason' | 'remedy'>): string {
  return remedy === null ? reason : `${reason} ${remedy}`
}

/** A message of someone else's, made to stand between sentences: its first line, with a capital and a full stop. */
export function asSentence(message: string): string {
  const line = message.trim().split('\n', 1).join('').trim()
  if (line === '') return 'It failed without a reason.'
  const capital = line.charAt(0).toUpperCase() + line.slice(1)
  return /[.?!]$/.test(capital) ? capital : `${capital}.`
}
