import type { Block } from './block.ts'
import type { Page } from './page.ts'

/** Decoded blocks, the ones used last, of bounded size; one that is being decoded is waited for by all who ask. */
export class BlockCache {
  readonly #limit: number
  readonly #blocks = new Map<string, { block: Promise<Block>; bytes: number }>()
  #bytes = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  readonly get = (page: Page, column: number, row: number, sample: number): Promise<Block> => {
    const key = `${page.layout.directory.offset}/${column}/${row}/${sample}`
    const known = this.#blocks.get(key)
    if (known !== undefined) {
      this.#blocks.delete(key)
      this.#blocks.set(key, known)
      return known.block
    }
    const entry = { block: page.block(column, row, sample), bytes: page.blockBytes }
    this.#blocks.set(key, entry)
    this.#bytes += entry.bytes
    entry.block.catch(() => {
      this.#drop(key, entry)
    })
    for (const [oldest, { bytes }] of this.#blocks) {
      if (this.#bytes <= this.#limit || oldest === key) break
      this.#blocks.delete(oldest)
      this.#bytes -= bytes
    }
    return entry.block
  }

  #drop(key: string, entry: { bytes: number }): void {
    if (this.#blocks.get(key) !== entry) return
    this.#blocks.delete(key)
    this.#bytes -= entry.bytes
  }

  clear(): void {
    this.#blocks.clear()
    this.#bytes = 0
  }
}
