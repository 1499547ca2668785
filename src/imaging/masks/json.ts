import { readFile } from 'node:fs/promises'
import type { z } from 'zod'
import { badFile, fileSize, readError } from '../files.ts'

/** Above this a file of annotations does not fit into one string with room to spare. */
const MAX_BYTES = 256 * 2 ** 20

/** Reads and checks a JSON file. `what`: in the middle of a sentence, "a COCO file". Throws CodedError('bad-file'). */
export async function readJson<T>(path: string, schema: z.ZodType<T>, what: string, signal?: AbortSignal): Promise<T> {
  if ((await fileSize(path)) > MAX_BYTES) throw badFile(path, 'is larger than 256 MB; split it into smaller files.')
  const text = await readFile(path, { encoding: 'utf8', signal }).catch((error: unknown) => {
    throw readError(error, path)
  })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw badFile(path, `is damaged or no JSON; choose ${what}.`, error)
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const where = issue === undefined || issue.path.length === 0 ? '' : ` (see "${issue.path.join('.')}")`
  throw badFile(path, `is not ${what}${where}; choose another file.`, parsed.error)
}
