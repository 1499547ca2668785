/** What was written does not read back as what was to be written. The message goes into the middle of a sentence. */
export class Mismatch extends Error {
  constructor(what: string, cause?: unknown) {
    super(what, cause === undefined ? undefined : { cause })
    this.name = 'Mismatch'
  }
}
