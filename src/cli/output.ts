import { CodedError } from '../core/contract/errors.ts'

/** What every command is told besides its own options. */
export interface CommonOptions {
  readonly json?: boolean
  readonly debug?: boolean
}

/** Wrong usage that the option parser cannot see: exit code 2. */
export class UsageError extends Error {}

/** Machine output or people's text on stdout; everything else goes to stderr. */
export class Output {
  readonly json: boolean
  #barShown = false
  #barAt = 0
  readonly #startedAt = Date.now()

  constructor(options: CommonOptions) {
    this.json = options.json === true
  }

  /** Characters that a line on stdout should not exceed. */
  get width(): number {
    return process.stdout.isTTY ? process.stdout.columns : 120
  }

  /** One JSON document or JSON line; nothing without `--json`. */
  data(value: unknown): void {
    if (this.json) process.stdout.write(`${JSON.stringify(value)}\n`)
  }

  /** One line for people; nothing with `--json`. */
  text(line: string): void {
    if (this.json) return
    this.endProgress()
    process.stdout.write(`${line}\n`)
  }

  /** One line on stderr, in either mode. */
  note(line: string): void {
    this.endProgress()
    process.stderr.write(`${line}\n`)
  }

  /** A bar on a terminal, for work that takes over a second. */
  progress(what: string, done: number, total: number): void {
    const now = Date.now()
    if (!process.stderr.isTTY || now - this.#startedAt < 1000 || (now - this.#barAt < 100 && done < total)) return
    this.#barAt = now
    this.#barShown = true
    const width = 30
    const filled = Math.round((width * done) / Math.max(total, 1))
    process.stderr.write(`\r\u001b[K[${'#'.repeat(filled)}${' '.repeat(width - filled)}] ${what}`)
  }

  endProgress(): void {
    if (this.#barShown) process.stderr.write('\r\u001b[K')
    this.#barShown = false
  }
}

/** The one line that a failure leaves on stderr. */
export function failureLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return `error: ${message.replace(/\s+/g, ' ').trim()}`
}

/** What `--debug` shows after it. */
export function failureDetail(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const detail = error instanceof CodedError && error.detail !== undefined ? `\n${error.detail}` : ''
  const cause = error.cause === undefined ? '' : `\ncaused by: ${failureDetail(error.cause)}`
  return `${error.stack ?? error.message}${detail}${cause}`
}
