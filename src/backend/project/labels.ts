import { CodedError } from '../../core/contract/errors.ts'
import { labelSchema, type Label } from '../../core/contract/schemas.ts'
import { nextLabelColor } from '../../core/labelmap/index.ts'
import type { Database } from './database.ts'
import { flag, int, text } from './rows.ts'

interface Entry {
  readonly label: Label
  readonly archived: boolean
  /** The last row of the journal by then. */
  readonly addedSeq: number
}

/**
 * The label table. Values are given out once and never again: an archived label keeps its row, since strokes in the
 * journal and models refer to its value, and so that an undone deletion brings it back.
 */
export class Labels {
  readonly #db: Database
  /** Also the archived ones. The table has at most 255 rows. */
  readonly #byValue = new Map<number, Entry>()

  constructor(db: Database) {
    this.#db = db
    this.reload()
  }

  /** Reads afresh, after a transaction that touched labels was rolled back. */
  reload(): void {
    this.#byValue.clear()
    for (const row of this.#db.all('SELECT * FROM labels ORDER BY value')) {
      const label: Label = {
        value: int(row, 'value'),
        name: text(row, 'name'),
        color: text(row, 'color'),
        visible: flag(row, 'visible'),
        locked: flag(row, 'locked'),
      }
      this.#byValue.set(label.value, { label, archived: flag(row, 'archived'), addedSeq: int(row, 'added_seq') })
    }
  }

  /** The labels in use, by value. */
  list(): Label[] {
    const current = [...this.#byValue.values()].filter((entry) => !entry.archived).map((entry) => ({ ...entry.label }))
    return current.sort((a, b) => a.value - b.value)
  }

  get(value: number): Label {
    const entry = this.#byValue.get(value)
    if (entry === undefined || entry.archived) {
      throw new CodedError('not-found', `Label ${value} is not on the list (any more).`)
    }
    return { ...entry.label }
  }

  isCurrent(value: number): boolean {
    return this.#byValue.get(value)?.archived === false
  }

  isArchived(value: number): boolean {
    return this.#byValue.get(value)?.archived === true
  }

  isLocked(value: number): boolean {
    const entry = this.#byValue.get(value)
    return entry !== undefined && !entry.archived && entry.label.locked
  }

  /** Whether the label, of this list, was put on it after a row of the journal was written: that row says nothing of it. */
  isLaterThan(value: number, seq: number): boolean {
    return (this.#byValue.get(value)?.addedSeq ?? 0) >= seq
  }

  /** Also for archived labels: the words of an old stroke. */
  nameOf(value: number): string {
    return this.#byValue.get(value)?.label.name ?? `label ${value}`
  }

  add(name: string, color: string | null): Label {
    const value = this.#freshValue()
    if (value === null) {
      throw new CodedError('bad-request', 'A project holds 255 labels at most; make another project for more.')
    }
    const label: Label = {
      value,
      name: this.#checkedName(name, null),
      color: color ?? nextLabelColor(this.list()),
      visible: true,
      locked: false,
    }
    this.#insert(label)
    return { ...label }
  }

  /**
   * Puts a value that came with a mask on the list: an archived label comes back, a new one is called `name` where that is free.
   * Inside a transaction; `reload` after one that was rolled back.
   */
  adopt(value: number, name: string | null): void {
    if (this.isCurrent(value)) return
    if (this.isArchived(value)) {
      this.setArchived(value, false)
      return
    }
    const wanted = (name ?? '').trim().slice(0, 80) || `Label ${value}`
    const fresh = { value, name: wanted, color: '', visible: true, locked: false }
    const label: Label = { ...this.#setApart(fresh), color: nextLabelColor(this.list()) }
    this.#insert(label)
  }

  update(value: number, change: { [K in keyof Omit<Label, 'value'>]?: Label[K] | undefined }): Label {
    const before = this.get(value)
    const entry = this.#byValue.get(value)
    const label = labelSchema.parse({
      value,
      name: change.name === undefined ? before.name : this.#checkedName(change.name, value),
      color: change.color ?? before.color,
      visible: change.visible ?? before.visible,
      locked: change.locked ?? before.locked,
    })
    this.#db.run(
      'UPDATE labels SET name = ?, color = ?, visible = ?, locked = ? WHERE value = ?',
      label.name,
      label.color,
      Number(label.visible),
      Number(label.locked),
      value,
    )
    this.#byValue.set(value, { label, archived: false, addedSeq: entry?.addedSeq ?? 0 })
    return { ...label }
  }

  /**
   * Takes the label off the list, or puts it back: unlocked, so that nothing stands in the way of the next step, and
   * with a name and a colour of its own, where another label has taken its own ones in the meantime.
   */
  setArchived(value: number, archived: boolean): void {
    const entry = this.#byValue.get(value)
    if (entry === undefined || entry.archived === archived) return
    const label = { ...(archived ? entry.label : this.#setApart(entry.label)), locked: false }
    this.#db.run(
      'UPDATE labels SET archived = ?, locked = 0, name = ?, color = ? WHERE value = ?',
      Number(archived),
      label.name,
      label.color,
      value,
    )
    this.#byValue.set(value, { ...entry, label, archived })
  }

  #insert(label: Label): void {
    const addedSeq = this.#lastSeq()
    this.#db.run(
      'INSERT INTO labels (value, name, color, added_seq) VALUES (?, ?, ?, ?)',
      ...[label.value, label.name, label.color, addedSeq],
    )
    this.#byValue.set(label.value, { label, archived: false, addedSeq })
  }

  #lastSeq(): number {
    const row = this.#db.get('SELECT COALESCE(MAX(seq), 0) AS seq FROM journal')
    return row === undefined ? 0 : int(row, 'seq')
  }

  /** The next that was never given out; below the largest where a mask from elsewhere brought the last one. */
  #freshValue(): number | null {
    const next = Math.max(0, ...this.#byValue.keys()) + 1
    if (next <= 255) return next
    for (let value = 1; value <= 255; value++) if (!this.#byValue.has(value)) return value
    return null
  }

  #setApart(label: Label): Label {
    const others = this.list()
    const names = new Set(others.map((other) => other.name.toLowerCase()))
    let { name } = label
    for (let n = 2; names.has(name.toLowerCase()); n++) name = `${label.name.slice(0, 74)} (${n})`
    const taken = others.some((other) => other.color === label.color)
    return { ...label, name, color: taken ? nextLabelColor(others) : label.color }
  }

  #checkedName(name: string, self: number | null): string {
    const trimmed = name.trim()
    if (trimmed === '') throw new CodedError('bad-request', 'A label needs a name.')
    const taken = this.list().some(
      (label) => label.value !== self && label.name.toLowerCase() === trimmed.toLowerCase(),
    )
    if (taken) throw new CodedError('conflict', `There is already a label "${trimmed}"; choose another name.`)
    return trimmed
  }
}
