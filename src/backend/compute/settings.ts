import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { computeSettingsSchema, type ComputeSettings } from '../../core/contract/schemas.ts'
import { storageError, systemCode } from '../errors.ts'

/** What holds where nobody chose anything. */
export const DEFAULT_SETTINGS: ComputeSettings = { backend: 'auto', threads: 0 }

/** The settings of this computer, which all hosts of this user share. */
export interface SettingsFile {
  /** Never throws: a file that is not there, or is damaged (said in the log), holds the defaults. */
  read(): ComputeSettings
  /**
   * A temporary name, synced by its rename: a host that reads meanwhile sees the old or the new, never a half.
   * Throws CodedError `disk-full`, `no-permission` or `not-saved`.
   */
  write(settings: ComputeSettings): void
}

/** `compute.json` in the folder of this user; without a folder the settings live as long as the host. */
export function settingsFile(dir: string | null, log: (line: string) => void): SettingsFile {
  if (dir === null) return settingsInMemory()
  const path = join(dir, 'compute.json')
  return {
    read() {
      let text: string
      try {
        text = readFileSync(path, 'utf8')
      } catch (error) {
        if (systemCode(error) !== 'ENOENT')
          log(`the settings of compute could not be read from ${path}: ${String(error)}`)
        return DEFAULT_SETTINGS
      }
      try {
        return computeSettingsSchema.parse(JSON.parse(text))
      } catch {
        log(`the settings of compute in ${path} are damaged; compute runs as if nothing were chosen`)
        return DEFAULT_SETTINGS
      }
    },
    write(settings) {
      // A name of its own: two hosts may write at the same moment.
      const temporary = `${path}.${randomUUID()}.new`
      try {
        mkdirSync(dir, { recursive: true })
        writeFileSync(temporary, `${JSON.stringify(settings)}\n`, { flush: true })
        renameSync(temporary, path)
      } catch (error) {
        rmSync(temporary, { force: true })
        throw storageError(error, path)
      }
    },
  }
}

function settingsInMemory(): SettingsFile {
  let kept = DEFAULT_SETTINGS
  return { read: () => kept, write: (settings) => void (kept = settings) }
}
