import { z } from 'zod'
import './jitless.ts'

/** Every code that may cross the wire. The interface chooses its words and remedies by code, never by message. */
export const errorCodes = [
  'bad-request', // the payload failed validation
  'unknown-method',
  'version-mismatch',
  'cancelled',
  'connection-lost',
  'not-found', // an id that names nothing (any more)
  'no-project',
  'conflict', // a delta that does not fit the current mask
  'locked', // a change that would touch a locked label
  'bad-file', // unreadable, truncated, empty, of the wrong type: message names the file and the remedy
  'file-missing',
  'no-permission',
  'disk-full',
  'not-saved', // a durable write failed for another reason
  'verify-failed', // a written mask did not read back equal
  'no-model',
  'nothing-to-train',
  'nothing-learned', // a training found nothing better than what it began with
  'busy', // another job of the kind runs
  'compute-crashed',
  'compute-failed',
  'backend-lost', // the rung that computes cannot go on: device lost, or out of memory at the smallest size
  'not-resident', // compute does not keep (any more) what a request refers to: between host and compute alone
  'internal',
] as const

export const errorCodeSchema = z.enum(errorCodes)
export type ErrorCode = z.infer<typeof errorCodeSchema>

export const wireErrorSchema = z.object({
  code: errorCodeSchema,
  /** One plain sentence for the user: what happened, to which file, what to do. */
  message: z.string(),
  /** Technical detail shown behind a disclosure; never needed to understand the message. */
  detail: z.string().optional(),
})
export type WireError = z.infer<typeof wireErrorSchema>

/** The one error class of the project that carries a code. Anything else that escapes becomes `internal`. */
export class CodedError extends Error {
  readonly code: ErrorCode
  readonly detail: string | undefined

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; detail?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CodedError'
    this.code = code
    this.detail = options.detail
  }
}

/** Turns whatever was thrown into what may cross the wire. */
export function toWireError(thrown: unknown): WireError {
  if (thrown instanceof CodedError) {
    return {
      code: thrown.code,
      message: thrown.message,
      ...(thrown.detail === undefined ? {} : { detail: thrown.detail }),
    }
  }
  const detail = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
  return { code: 'internal', message: 'Something went wrong inside Maskwright; nothing was changed.', detail }
}

export function fromWireError(error: WireError): CodedError {
  return new CodedError(error.code, error.message, error.detail === undefined ? {} : { detail: error.detail })
}
