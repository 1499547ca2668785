import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { z } from 'zod'

// Not named `require`: the build puts its own of that name into the same chunk.
const own = createRequire(import.meta.url)
const manifestSchema = z.looseObject({ version: z.string() })

/** An optional package as it lies on the disk; nothing of it is loaded by looking. */
export interface FoundPackage {
  readonly dir: string
  readonly version: string
  /** Loads it. */
  readonly load: () => unknown
}

/** The folder to look into before this program's own packages (settings.ts: MASKWRIGHT_PACKAGES), or none. */
export function findPackage(name: string, packagesDir: string | null): FoundPackage | null {
  const places = packagesDir === null ? [own] : [createRequire(path.join(packagesDir, 'index.js')), own]
  for (const place of places) {
    try {
      const manifest = place.resolve(`${name}/package.json`)
      const { version } = manifestSchema.parse(JSON.parse(readFileSync(manifest, 'utf8')))
      return { dir: path.dirname(manifest), version, load: (): unknown => place(name) }
    } catch {
      // Not there, or not readable: the next place.
    }
  }
  return null
}

/** The version of a package, also of one that is always there; null where it is not. */
export function packageVersion(name: string, packagesDir: string | null = null): string | null {
  return findPackage(name, packagesDir)?.version ?? null
}
