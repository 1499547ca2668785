import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import path from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'

/** What to do about a model that cannot be used. */
const REMEDY = {
  damaged: 'copy the model folder again or choose another model',
  foreign: 'choose another model',
  locked: 'change its permissions or choose another model',
} as const

/** One sentence that names the file, says what is wrong with it and what to do. */
export function refusal(
  file: string,
  problem: string,
  kind: keyof typeof REMEDY,
  options: { cause?: unknown; detail?: string } = {},
): CodedError {
  return new CodedError('bad-file', `${file} ${problem}; ${REMEDY[kind]}.`, options)
}

const NO_PERMISSION = ['cannot be read, since you have no permission for it', 'locked'] as const
const READ_PROBLEMS: Readonly<Record<string, readonly [problem: string, kind: keyof typeof REMEDY]>> = {
  ENOENT: ['is missing', 'damaged'],
  ENOTDIR: ['is missing', 'damaged'],
  EACCES: NO_PERMISSION,
  EPERM: NO_PERMISSION,
  ELOOP: ['cannot be read, since it is a link that leads back to itself', 'damaged'],
  ENAMETOOLONG: ['cannot be read, since its name is too long', 'foreign'],
}

/**
 * The bytes of an ordinary file of at most `most` bytes, or of exactly `exactly`; anything else (a pipe, a device, a
 * folder, a larger file) is refused before it is read, so that no file can make this wait or fill the memory.
 * Throws CodedError('bad-file').
 */
export async function readPart(
  file: string,
  bound: { readonly most: number } | { readonly exactly: number },
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever. Windows has no such flag.
    const flags: Partial<typeof constants> = constants
    const handle = await open(file, constants.O_RDONLY | (flags.O_NONBLOCK ?? 0))
    try {
      const stat = await handle.stat()
      if (!stat.isFile()) throw refusal(file, 'is no ordinary file', 'foreign')
      checkSize(file, stat.size, bound)
      const bytes = new Uint8Array(stat.size)
      let filled = 0
      while (filled < bytes.length) {
        const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, filled)
        if (bytesRead === 0) throw refusal(file, 'became shorter while it was read', 'damaged')
        filled += bytesRead
      }
      return bytes
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (error instanceof CodedError) throw error
    const [problem, kind] = READ_PROBLEMS[codeOf(error)] ?? ['cannot be read', 'damaged']
    throw refusal(file, problem, kind, { cause: error, detail: String(error) })
  }
}

function checkSize(file: string, size: number, bound: { most: number } | { exactly: number }): void {
  if ('most' in bound) {
    if (size > bound.most) throw refusal(file, `has ${size} bytes, more than any model needs there`, 'foreign')
    if (size === 0) throw refusal(file, 'is empty', 'damaged')
  } else if (size !== bound.exactly) {
    const how = size < bound.exactly ? 'is cut off' : 'is too long'
    throw refusal(file, `${how}: it has ${size} bytes instead of ${bound.exactly}`, 'damaged')
  }
}

/** Of model.json and card.json; a model with a thousand layers has a tenth of that. */
export const MAX_JSON = 32 * 2 ** 20

/**
 * What `understand` makes of the JSON in `file`; it throws Errors that complete the sentence "FILE …", with the details as
 * their cause. Throws CodedError('bad-file').
 */
export function readJson<T>(bytes: Uint8Array, file: string, understand: (json: unknown) => T): T {
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (error) {
    throw refusal(file, 'is cut off or is no JSON', 'damaged', { cause: error, detail: String(error) })
  }
  try {
    return understand(json)
  } catch (error) {
    const { message, cause } = error instanceof Error ? error : new Error(String(error))
    const detail = cause instanceof Error ? cause.message : message
    throw refusal(file, message, 'foreign', { cause: error, detail })
  }
}

/** The system's code ("ENOSPC") of something thrown by Node, or ''. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** Names of files beside model.json; nothing that leads elsewhere. */
export function isPlainName(name: string): boolean {
  return /^[\w-][\w.-]{0,199}$/.test(name) && path.basename(name) === name
}
