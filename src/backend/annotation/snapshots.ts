import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as pause } from 'node:timers/promises'
import type { Dims } from '../../core/contract/schemas.ts'
import { maskExtension, readLabelMap, writeMask } from '../../imaging/index.ts'
import type { Cases } from '../project/cases.ts'
import type { Project } from '../project/project.ts'
import { int, text } from '../project/rows.ts'
import type { ImageHeader } from '../volume/volumes.ts'
import type { CaseMask, Masks } from './masks.ts'

const HASH_CHUNK = 4 * 2 ** 20

/**
 * The latest state of each mask as a file that any tool reads: masks/<case>.nii.gz or .png, in the image's geometry.
 * Written some seconds after the last stroke and at the end. Also the start from which a mask is loaded; one that does
 * not hold what was recorded of it (another program changed it, or a crash came between file and record) is left
 * alone, and the mask comes from the journal instead.
 */
export class Snapshots {
  readonly #project: Project
  readonly #cases: Cases
  readonly #image: (caseId: string) => Promise<ImageHeader>
  readonly #quietMs: number
  readonly #log: (line: string) => void
  readonly #waiting = new Map<string, NodeJS.Timeout>()
  /** One snapshot is written at a time. */
  #queue: Promise<void> = Promise.resolve()
  #masks: Masks | null = null

  constructor(options: {
    project: Project
    cases: Cases
    image: (caseId: string) => Promise<ImageHeader>
    quietMs: number
    log: (line: string) => void
  }) {
    this.#project = options.project
    this.#cases = options.cases
    this.#image = options.image
    this.#quietMs = options.quietMs
    this.#log = options.log
  }

  /** Masks load from snapshots and snapshots are taken of masks; this closes the circle. */
  connect(masks: Masks): void {
    this.#masks = masks
  }

  /** The mask changed: a snapshot follows once it has been quiet for a while. */
  changed(caseId: string): void {
    clearTimeout(this.#waiting.get(caseId))
    const timer = setTimeout(() => void this.#enqueue(caseId), this.#quietMs)
    timer.unref()
    this.#waiting.set(caseId, timer)
  }

  /** Writes every snapshot that waits; resolves when they are on disk. */
  async flush(): Promise<void> {
    for (const [caseId, timer] of [...this.#waiting]) {
      clearTimeout(timer)
      void this.#enqueue(caseId)
    }
    await this.#queue
  }

  /** What is recorded and really there; null where there is no usable snapshot. */
  async read(
    caseId: string,
    dims: Dims,
  ): Promise<{ labels: Uint8Array<ArrayBuffer>; seq: number; revision: number } | null> {
    const row = this.#project.db.get('SELECT * FROM snapshots WHERE case_id = ?', caseId)
    if (row === undefined) return null
    const path = join(this.#project.folders.masks, text(row, 'file'))
    if (!existsSync(path)) return null
    try {
      const mask = await readLabelMap(path)
      const sameExtent = mask.dims.every((extent, axis) => extent === dims[axis])
      if (!sameExtent || (await hashLabels(mask.labels)) !== text(row, 'labels_hash')) return null
      return { labels: mask.labels, seq: int(row, 'seq'), revision: int(row, 'revision') }
    } catch (error) {
      this.#log(`snapshot ${path} is not used: ${String(error)}`)
      return null
    }
  }

  #enqueue(caseId: string): Promise<void> {
    this.#waiting.delete(caseId)
    this.#queue = this.#queue.then(async () => {
      try {
        await this.#write(caseId)
      } catch (error) {
        // Nothing is lost: the journal has every stroke. The next change or the next start tries again.
        this.#log(`snapshot of case ${caseId} was not written: ${String(error)}`)
      }
    })
    return this.#queue
  }

  async #write(caseId: string): Promise<void> {
    const record = this.#cases.find(caseId)
    if (record === null || this.#masks === null) return
    // Without its image a mask has no geometry to be written in.
    if (this.#cases.missing.has(caseId)) return
    const source = await this.#image(caseId)
    // A copy, since strokes go on while it is compressed and written.
    const { labels, seq, revision } = await this.#masks.use(caseId, (mask: CaseMask) => ({
      labels: mask.labels.slice(),
      seq: mask.seq,
      revision: mask.revision,
    }))
    const file = `${record.stem}${maskExtension(source)}`
    await writeMask(join(this.#project.folders.masks, file), labels, source)
    const hash = await hashLabels(labels)
    this.#project.db.run(
      `INSERT INTO snapshots VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET seq = excluded.seq,
         revision = excluded.revision, file = excluded.file, labels_hash = excluded.labels_hash`,
      caseId,
      seq,
      revision,
      file,
      hash,
    )
  }
}

/** SHA-256 of the labels, in pieces, so that a large volume does not hold up the strokes. */
async function hashLabels(labels: Uint8Array): Promise<string> {
  const hash = createHash('sha256')
  for (let at = 0; at < labels.length; at += HASH_CHUNK) {
    hash.update(labels.subarray(at, at + HASH_CHUNK))
    await pause()
  }
  return hash.digest('hex')
}
