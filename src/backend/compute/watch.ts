import { readFileSync } from 'node:fs'
import type { Child } from './child.ts'

/** Beats in a row above the hard bound: a peak of one step is let pass. */
const HEAVY_BEATS = 3
/** A process that would hold about as much again from its start on is no better. */
const WORTH_MB = 256

export interface WatchOptions {
  readonly beatMs: number
  /** No message for so long: it hangs. */
  readonly silenceMs: number
  readonly hardMB: number
}

/** Watches one compute process by a beat: pings it, and says when it is to be ended. */
export class Watch {
  readonly #child: Child
  readonly #options: WatchOptions
  readonly #condemn: (reason: 'silent' | 'memory') => void
  readonly #timer: NodeJS.Timeout
  /** Counted in beats, not by the clock: after the computer slept the process has been silent for no longer than we. */
  #silentFor = 0
  #heavyBeats = 0
  #toldMB: number | null = null
  /** What it held when it was ready; before that its memory is not looked at. */
  #baseMB: number | null = null
  #patience = 1

  constructor(child: Child, options: WatchOptions, condemn: (reason: 'silent' | 'memory') => void) {
    this.#child = child
    this.#options = options
    this.#condemn = condemn
    this.#timer = setInterval(() => this.#beat(), options.beatMs)
    this.#timer.unref()
  }

  /** It said something; a pong says what memory it holds. */
  heard(rssMB: number | null): void {
    this.#silentFor = 0
    if (rssMB !== null) this.#toldMB = rssMB
  }

  /** It is ready: from here on it may grow by what it is asked for alone, and be silent `patience` times as long. */
  ready(patience: number): void {
    this.#baseMB = this.#held() ?? 0
    this.#patience = patience
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #beat(): void {
    const { beatMs, silenceMs, hardMB } = this.#options
    if (this.#silentFor > silenceMs * this.#patience) {
      this.#end('silent')
      return
    }
    const [held, base] = [this.#held(), this.#baseMB]
    const heavy = held !== null && base !== null && held > Math.max(hardMB, base + WORTH_MB)
    this.#heavyBeats = heavy ? this.#heavyBeats + 1 : 0
    if (this.#heavyBeats >= HEAVY_BEATS) {
      this.#end('memory')
      return
    }
    this.#silentFor += beatMs
    this.#child.send({ t: 'ping', id: 0 })
  }

  #held(): number | null {
    return residentMB(this.#child.pid) ?? this.#toldMB
  }

  #end(reason: 'silent' | 'memory'): void {
    this.stop()
    this.#condemn(reason)
  }
}

/** Resident memory of a process as Linux tells it, also while the process is too busy to; null elsewhere. */
function residentMB(pid: number | null): number | null {
  if (process.platform !== 'linux' || pid === null) return null
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
    return kilobytes === undefined ? null : Number(kilobytes) / 1024
  } catch {
    return null
  }
}
