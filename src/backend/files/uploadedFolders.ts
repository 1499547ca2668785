import { mkdir, readdir, realpath, rm } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { Project } from '../project/project.ts'
import type { Cases } from '../project/cases.ts'
import type { Settings } from '../project/settings.ts'
import { storageError } from '../errors.ts'
import { freeName } from './names.ts'

const SETTING = '.uploadedFolders'

/** What the page says of a folder that it sends file by file. */
export interface UploadFolder {
  /** Made up by the page: the same for all files of the folder. */
  readonly id: string
  readonly name: string
  /** The name of the file that stands for the others; null: the folder itself does. */
  readonly header: string | null
}

/**
 * Folders of dropped files that belong together, in the project's images folder. One that never became a case is removed at the next
 * start.
 */
export class UploadedFolders {
  readonly #project: Project
  readonly #cases: Cases
  readonly #settings: Settings
  readonly #made = new Map<string, Promise<string>>()
  /** One is made at a time: two of the same name would otherwise find it free. */
  #making: Promise<unknown> = Promise.resolve()

  constructor(options: { project: Project; cases: Cases; settings: Settings }) {
    this.#project = options.project
    this.#cases = options.cases
    this.#settings = options.settings
  }

  /** The path of the folder, made where this is its first file. `name` is a safe one. */
  async pathOf(id: string, name: string): Promise<string> {
    const made = this.#made.get(id) ?? this.#making.then(() => this.#make(name))
    this.#made.set(id, made)
    this.#making = made.catch(() => undefined)
    try {
      return await made
    } catch (error) {
      this.#made.delete(id)
      throw storageError(error, name)
    }
  }

  /** Removes the folders of earlier processes that no case lies in. */
  async removeLeftOvers(): Promise<void> {
    const images = this.#project.folders.images
    const used = this.#cases.everyPath().map((stored) => this.#project.resolvedPath(stored))
    for (const name of this.#remembered()) {
      const path = join(images, name)
      if (name === '' || name.includes('/') || name.includes(sep) || name.startsWith('.')) continue
      // Cases can know it by its real path, where the project or its images folder is a link.
      const real = await realpath(path).catch(() => path)
      if ([path, real].some((one) => used.some((file) => file === one || file.startsWith(one + sep)))) continue
      await rm(path, { recursive: true, force: true })
    }
    this.#settings.set(SETTING, undefined)
  }

  async #make(name: string): Promise<string> {
    const images = this.#project.folders.images
    const free = freeName(name, await readdir(images))
    // Before it is there, so that it cannot be forgotten.
    this.#settings.set(SETTING, [...this.#remembered(), free])
    const path = join(images, free)
    await mkdir(path)
    return path
  }

  #remembered(): string[] {
    const names = this.#settings.get(SETTING)
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : []
  }
}
