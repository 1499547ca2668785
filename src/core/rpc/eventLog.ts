export interface LoggedEvent {
  readonly seq: number
  readonly name: string
  readonly payload: unknown
}

export interface EventLogLimits {
  readonly events: number
  readonly bytes: number
  readonly ageMs: number
}

/**
 * The last events, numbered from 1, bounded in number, size and age. One log serves all sessions of a backend, since
 * all are told the same.
 */
export class EventLog {
  private readonly limits: EventLogLimits
  private readonly now: () => number
  private entries: (LoggedEvent & { bytes: number; at: number })[] = []
  private bytes = 0
  private last = 0

  constructor(limits: EventLogLimits, now: () => number) {
    this.limits = limits
    this.now = now
  }

  /** Number of the newest event; 0 before the first. */
  get seq(): number {
    return this.last
  }

  /** Keeps the payload by reference: whoever emits an event does not change it afterwards. */
  append(name: string, payload: unknown): LoggedEvent {
    const entry = { seq: ++this.last, name, payload, bytes: approximateBytes(payload), at: this.now() }
    this.entries.push(entry)
    this.bytes += entry.bytes
    this.trim()
    return entry
  }

  /** All events after number `seq`, or null when some of them are not there any more. */
  since(seq: number): LoggedEvent[] | null {
    this.trim()
    if (seq > this.last) return null
    const first = this.entries[0]?.seq ?? this.last + 1
    return seq + 1 < first ? null : this.entries.filter((entry) => entry.seq > seq)
  }

  clear(): void {
    this.entries = []
    this.bytes = 0
  }

  private trim(): void {
    const oldest = this.now() - this.limits.ageMs
    let drop = 0
    for (const entry of this.entries) {
      const kept = this.entries.length - drop
      if (kept <= this.limits.events && this.bytes <= this.limits.bytes && entry.at >= oldest) break
      this.bytes -= entry.bytes
      drop += 1
    }
    if (drop > 0) this.entries.splice(0, drop)
  }
}

/** Roughly what a payload occupies, in bytes: typed arrays exactly, the rest by rule of thumb. */
export function approximateBytes(value: unknown): number {
  if (typeof value === 'string') return 16 + 2 * value.length
  if (ArrayBuffer.isView(value)) return 64 + value.byteLength
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + approximateBytes(item), 16)
  if (typeof value === 'object' && value !== null) {
    return Object.values(value).reduce<number>((sum, item) => sum + 32 + approximateBytes(item), 16)
  }
  return 8
}
