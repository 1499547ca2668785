export interface ComputeProcessOptions {
  /** The Node binary that runs it; its version need not be that of the host. */
  readonly nodePath: string
  /** src/compute/entry.ts or its built form. */
  readonly entry: string
  /** Added to the host's own environment, and like that before the settings of this computer. */
  readonly env?: Readonly<Record<string, string>>
  /** The folder of this user, for the settings and what compute finds out of this computer; null: nothing is kept. */
  readonly stateDir?: string | null
  /** Receives what the process prints, a line at a time. */
  readonly log?: (line: string) => void
  /** A process that answers no ping for so long hangs and is ended; on `js`, which takes minutes for a step, 20 times so. */
  readonly silenceMs?: number
  /** How often it is pinged and its memory is looked at. */
  readonly beatMs?: number
}
