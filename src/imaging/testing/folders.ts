import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * A folder of the shared test data: under MASKWRIGHT_DATA, or ../shared/data beside the repository. Null where it is
 * missing: tests then fall back to generated data or skip with a reason.
 */
export function testData(...parts: string[]): string | null {
  const root = process.env.MASKWRIGHT_DATA ?? fileURLToPath(new URL('../../../../shared/data', import.meta.url))
  const path = join(root, ...parts)
  return existsSync(path) ? path : null
}

/** A new temporary folder and how to take it away again. */
export async function temporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'maskwright-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}
