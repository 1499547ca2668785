import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

/** How many projects are remembered. */
const KEPT = 12

const rememberedSchema = z.object({ dir: z.string(), name: z.string(), isDemo: z.boolean() })
const memorySchema = z.object({ lastProject: z.string(), recent: z.array(rememberedSchema).catch([]) })

export type RememberedProject = z.infer<typeof rememberedSchema>

/** The project folder that was open last, whichever shell had it; null when there was none or it is not known. */
export function readLastProject(dataDir: string): string | null {
  return readMemory(dataDir)?.lastProject ?? null
}

/** The projects that were open, the newest first. Those that are not there any more are among them. */
export function readRecentProjects(dataDir: string): RememberedProject[] {
  return readMemory(dataDir)?.recent ?? []
}

/** A convenience: failing to remember is no failure of the work. */
export function rememberProject(dataDir: string, dir: string, known: Omit<RememberedProject, 'dir'>): void {
  try {
    mkdirSync(dataDir, { recursive: true })
    const path = join(dataDir, 'last-project.json')
    const others = readRecentProjects(dataDir).filter((one) => one.dir !== dir)
    const recent = [{ dir, ...known }, ...others].slice(0, KEPT)
    writeFileSync(`${path}.new`, `${JSON.stringify({ lastProject: dir, recent })}\n`)
    renameSync(`${path}.new`, path)
  } catch {
    // The next start opens the demo project instead.
  }
}

function readMemory(dataDir: string): z.infer<typeof memorySchema> | null {
  try {
    const content: unknown = JSON.parse(readFileSync(join(dataDir, 'last-project.json'), 'utf8'))
    return memorySchema.parse(content)
  } catch {
    return null
  }
}
