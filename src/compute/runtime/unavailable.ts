/** Why a rung cannot be used here: for the user, with the remedy, and for those who look closer. */
export interface Refusal {
  /** One sentence, in plain words. */
  readonly reason: string
  /** What to do about it, a sentence; null where nothing need or can be done. */
  readonly remedy: string | null
  /** The last lines that a library printed, a stack: shown behind a disclosure. */
  readonly detail: string | null
  /** It was not tried to the end, and another time may be. */
  readonly late?: boolean
}

/** Thrown by what starts a rung. */
export class RungUnavailable extends Error {
  readonly remedy: string | null
  readonly detail: string | null
  readonly late: boolean

  constructor(
    reason: string,
    remedy: string | null = null,
    options: { detail?: string; cause?: unknown; late?: boolean } = {},
  ) {
    super(reason, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'RungUnavailable'
    this.remedy = remedy
    this.detail = options.detail ?? null
    this.late = options.late ?? false
  }
}

/** Whatever a rung's start threw. */
export function refusalOf(thrown: unknown): Refusal {
  if (!(thrown instanceof Error)) return { reason: asSentence(String(thrown)), remedy: null, detail: null }
  const remedy = 'remedy' in thrown && typeof thrown.remedy === 'string' ? thrown.remedy : null
  const reason = asSentence(thrown.message)
  if (!(thrown instanceof RungUnavailable)) return { reason, remedy, detail: thrown.stack ?? null }
  return { reason, remedy, detail: thrown.detail, late: thrown.late }
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
