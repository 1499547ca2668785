import { z } from 'zod'
import { wireErrorSchema, type WireError } from '../contract/index.ts'

/** What every remote function answers: errors travel as values, so that their codes survive every transport. */
export type Reply<T> = { ok: true; value: T } | { ok: false; error: WireError }

export const welcomeSchema = z.object({
  sessionId: z.string(),
  /** The session went on: the events missed in between follow. False: a new session; read everything afresh. */
  resumed: z.boolean(),
  /** Number of the last event before this answer; those that follow have higher numbers. */
  seq: z.int().min(0),
})
export type Welcome = z.infer<typeof welcomeSchema>

export const replySchema = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), value: z.unknown() }),
  z.object({ ok: z.literal(false), error: wireErrorSchema }),
])

/** The three functions that the backend offers to a page. */
export interface BackendFunctions {
  hello: (version: unknown, sessionId: unknown, lastEventSeq: unknown) => Promise<Reply<Welcome>>
  call: (callId: unknown, method: unknown, params: unknown) => Promise<Reply<unknown>>
  cancel: (callId: unknown) => void
}

/** The one function that a page offers to the backend. */
export interface ClientFunctions {
  event: (seq: unknown, name: unknown, payload: unknown) => void
}

/** birpc's own message shapes; anything else never reaches it, since it does not look before it reads. */
const requestSchema = z.object({
  t: z.literal('q'),
  i: z.string().optional(),
  m: z.string(),
  a: z.array(z.unknown()).max(8),
})
const responseSchema = z.object({ t: z.literal('s'), i: z.string() })

export function isEnvelope(message: unknown): boolean {
  return requestSchema.safeParse(message).success || responseSchema.safeParse(message).success
}
