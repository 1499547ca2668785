import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const memorySchema = z.object({ lastProject: z.string() })

/** The project folder that was open last, whichever shell had it; null when there was none or it is not known. */
export function readLastProject(dataDir: string): string | null {
  try {
    const content: unknown = JSON.parse(readFileSync(join(dataDir, 'last-project.json'), 'utf8'))
    return memorySchema.parse(content).lastProject
  } catch {
    return null
  }
}

/** A convenience: failing to remember is no failure of the work. */
export function rememberProject(dataDir: string, projectDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true })
    const path = join(dataDir, 'last-project.json')
    writeFileSync(`${path}.new`, `${JSON.stringify({ lastProject: projectDir })}\n`)
    renameSync(`${path}.new`, path)
  } catch {
    // The next start opens the demo project instead.
  }
}
