import { emit, int } from '../../graph/build.ts'
import { sizeOf } from '../../graph/types.ts'
import { foldFor, intoBlocks, outOfBlocks, refolded } from './blocks.ts'
import type { Graph, Value } from '../../graph/types.ts'
import type { Blocked } from './blocks.ts'

/** Work that is put off until it is known how its result is used. */
export interface Pending {
  /** All of it; with a ReLU behind where that is asked for. */
  readonly make: (relu: boolean) => Blocked
  /** Whether a ReLU can be had. */
  readonly takesRelu: boolean
  /** Some of its channels alone; null where that would not be less work. */
  readonly part: ((from: number, size: number) => Blocked) | null
}

interface Form {
  plain: Value | null
  blocked: Blocked | null
  pending: Pending | null
  /** Values of the given graph of which it is the join along the channels. */
  parts: readonly Value[] | null
}

/** What has become of the values of a graph: each in one layout or in both; made in the other one when it is asked for. */
export class Forms {
  readonly block: number
  readonly #forms = new Map<Value, Form>()
  readonly #uses = new Map<Value, number>()
  readonly #foldings = new Map<Value, Map<number, Blocked>>()

  constructor({ nodes, outputs }: Graph, block: number) {
    this.block = block
    for (const value of [...nodes.flatMap(({ inputs }) => inputs), ...outputs]) {
      if (value !== null) this.#uses.set(value, (this.#uses.get(value) ?? 0) + 1)
    }
  }

  /** How often the given graph reads the value. */
  uses(value: Value): number {
    return this.#uses.get(value) ?? 0
  }

  setPlain(value: Value, plain: Value): void {
    this.#set(value, { plain })
  }

  setBlocked(value: Value, blocked: Blocked): void {
    this.#set(value, { blocked })
  }

  setPending(value: Value, pending: Pending): void {
    this.#set(value, { pending })
  }

  setParts(value: Value, parts: readonly Value[]): void {
    this.#set(value, { parts })
  }

  #set(value: Value, form: Partial<Form>): void {
    this.#forms.set(value, { plain: null, blocked: null, pending: null, parts: null, ...form })
  }

  /** Whether it comes blocked by itself. */
  isBlocked(value: Value): boolean {
    const form = this.#forms.get(value)
    if (form === undefined) return false
    if (form.blocked !== null || form.pending !== null) return true
    return form.parts?.some((part) => this.isBlocked(part)) ?? false
  }

  /** The values of which it is the join along the channels; itself alone where it is none. */
  partsOf(value: Value): readonly Value[] {
    const parts = this.#forms.get(value)?.parts ?? null
    return parts === null ? [value] : parts.flatMap((part) => this.partsOf(part))
  }

  /** What was put off, if nothing else asked for it. */
  pendingOf(value: Value): Pending | null {
    return this.#forms.get(value)?.pending ?? null
  }

  plain(value: Value): Value {
    const form = this.#forms.get(value)
    if (form === undefined) return value
    form.plain ??=
      form.parts === null
        ? outOfBlocks(this.#blockedOf(form))
        : emit(
            'Concat',
            form.parts.map((part) => this.plain(part)),
            value.shape,
            { attributes: { axis: int(1) } },
          )
    return form.plain
  }

  blocked(value: Value): Blocked {
    let form = this.#forms.get(value)
    if (form === undefined) {
      form = { plain: value, blocked: null, pending: null, parts: null }
      this.#forms.set(value, form)
    }
    if (form.blocked !== null) return form.blocked
    if (form.pending !== null) return this.#blockedOf(form)
    form.blocked = this.#joined(form.parts) ?? this.#intoBlocks(value, this.foldFor(value))
    return form.blocked
  }

  /** Blocked with this fold. */
  folded(value: Value, fold: number): Blocked {
    if (!this.isBlocked(value)) return this.#intoBlocks(value, fold)
    return refolded(this.blocked(value), fold, this.block) ?? this.#intoBlocks(value, fold)
  }

  #intoBlocks(value: Value, fold: number): Blocked {
    const known = this.#foldings.get(value)?.get(fold)
    if (known !== undefined) return known
    const made = intoBlocks(this.plain(value), this.block, fold)
    const others = this.#foldings.get(value) ?? new Map<number, Blocked>()
    this.#foldings.set(value, others.set(fold, made))
    return made
  }

  /** How many images would share a block if images like these were blocked. */
  foldFor({ shape: [n = 1, c = 1] }: Pick<Value, 'shape'>): number {
    return foldFor(n, c, this.block)
  }

  #blockedOf(form: Form): Blocked {
    if (form.blocked !== null) return form.blocked
    if (form.pending === null) throw new Error('The value is not blocked.')
    form.blocked = form.pending.make(false)
    form.pending = null
    return form.blocked
  }

  /** Joined block by block, where all but the last have whole blocks. */
  #joined(parts: readonly Value[] | null): Blocked | null {
    if (parts === null) return null
    const whole = parts.slice(0, -1).every((part) => (part.shape[1] ?? 1) % this.block === 0)
    if (!whole) return null
    const all = parts.map((part) => this.folded(part, 1))
    const [first] = all
    if (first === undefined) return null
    const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0)
    const shape = first.value.shape.with(1, sum(all.map(({ value }) => value.shape[1] ?? 0)))
    return {
      value: emit(
        'Concat',
        all.map(({ value }) => value),
        shape,
        { attributes: { axis: int(1) } },
      ),
      channels: sum(all.map(({ channels }) => channels)),
      fold: 1,
      spare: all.every(({ spare }) => spare === 'zero') ? 'zero' : 'finite',
    }
  }
}

/** A value of one element. */
export function isSingle(value: Value): boolean {
  return sizeOf(value.shape) === 1
}
