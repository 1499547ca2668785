/**
 * A small assembler for WebAssembly with SIMD: functions over numbers and four-float vectors in a memory that another
 * module owns. Kernels are written with it in TypeScript and assembled when the backend starts, so that there is no
 * binary in the repository and no compiler in the build. https://webassembly.github.io/spec/core/binary
 */
export type ValueType = 'i32' | 'f32' | 'v128'

const typeCodes: Record<ValueType, number> = { i32: 0x7f, f32: 0x7d, v128: 0x7b }

/** Code that leaves one value of `type` on the stack. */
export interface Expression<T extends ValueType = ValueType> {
  readonly type: T
  readonly code: readonly number[]
}
export type I32 = Expression<'i32'>
export type F32 = Expression<'f32'>
export type V128 = Expression<'v128'>

/** A local variable or parameter: reads as an expression. */
export interface Local<T extends ValueType> extends Expression<T> {
  readonly index: number
}

/** Unsigned LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = []
  let rest = value >>> 0
  do {
    const byte = rest & 0x7f
    rest >>>= 7
    bytes.push(rest === 0 ? byte : byte | 0x80)
  } while (rest !== 0)
  return bytes
}

/** Signed LEB128. */
function signed(value: number): number[] {
  const bytes: number[] = []
  let rest = value | 0
  for (;;) {
    const byte = rest & 0x7f
    rest >>= 7
    if ((rest === 0 && (byte & 0x40) === 0) || (rest === -1 && (byte & 0x40) !== 0)) return [...bytes, byte]
    bytes.push(byte | 0x80)
  }
}

function expression<T extends ValueType>(type: T, ...parts: readonly (readonly number[])[]): Expression<T> {
  return { type, code: parts.flat() }
}

export const i32 = (value: number): I32 => expression('i32', [0x41], signed(value))
export const f32 = (value: number): F32 => expression('f32', [0x43], [...new Uint8Array(Float32Array.of(value).buffer)])

const binary =
  <A extends ValueType, R extends ValueType>(type: R, ...opcode: number[]) =>
  (a: Expression<A>, b: Expression<A>): Expression<R> =>
    expression(type, a.code, b.code, opcode)

export const add = binary<'i32', 'i32'>('i32', 0x6a)
export const subtract = binary<'i32', 'i32'>('i32', 0x6b)
export const multiply = binary<'i32', 'i32'>('i32', 0x6c)

export const divide = binary<'i32', 'i32'>('i32', 0x6e)
export const remainder = binary<'i32', 'i32'>('i32', 0x70)
export const and = binary<'i32', 'i32'>('i32', 0x71)
/** 1 or 0; of numbers taken as unsigned, so that a negative index is below no size. */
export const isBelow = binary<'i32', 'i32'>('i32', 0x49)
export const isEqual = binary<'i32', 'i32'>('i32', 0x46)
/** `whenTrue` where the condition is not zero; both are evaluated. */
export const choose = <T extends ValueType>(condition: I32, whenTrue: Expression<T>, whenFalse: Expression<T>) =>
  expression(whenTrue.type, whenTrue.code, whenFalse.code, condition.code, [SELECT])
/** The smaller of two numbers above zero. */
export const minimum = (a: I32, b: I32): I32 =>
  expression('i32', a.code, b.code, a.code, b.code, [LESS_UNSIGNED, SELECT])
const LESS_UNSIGNED = 0x49
const SELECT = 0x1b

export const quarter = (value: I32): I32 => expression('i32', value.code, i32(2).code, [0x76])

export const toFloat = (value: I32): F32 => expression('f32', value.code, [0xb2])

const SIMD = 0xfd
export const vAdd = binary<'v128', 'v128'>('v128', SIMD, 0xe4, 0x01)
export const vSubtract = binary<'v128', 'v128'>('v128', SIMD, 0xe5, 0x01)
export const vMultiply = binary<'v128', 'v128'>('v128', SIMD, 0xe6, 0x01)
export const vDivide = binary<'v128', 'v128'>('v128', SIMD, 0xe7, 0x01)
export const vMax = binary<'v128', 'v128'>('v128', SIMD, 0xe9, 0x01)
/** b where it is above a, else a, which may be no number. One instruction, where vMax takes several. */
export const vAtLeast = (a: V128, b: V128): V128 => expression('v128', a.code, b.code, [SIMD, 0xeb, 0x01])
/** All bits set where the lanes are equal. */
export const vEqual = binary<'v128', 'v128'>('v128', SIMD, 0x41)
/** All bits set where the lane of a is the greater. */
export const vGreater = binary<'v128', 'v128'>('v128', SIMD, 0x44)
export const vAnd = binary<'v128', 'v128'>('v128', SIMD, 0x4e)
/** a without the bits of b. */
export const vAndNot = binary<'v128', 'v128'>('v128', SIMD, 0x4f)
export const vOr = binary<'v128', 'v128'>('v128', SIMD, 0x50)
export const vSquareRoot = (value: V128): V128 => expression('v128', value.code, [SIMD, 0xe3, 0x01])
export const splat = (value: F32): V128 => expression('v128', value.code, [SIMD, 0x13])
export const vConstant = (value: number): V128 => splat(f32(value))

/** Four floats at a byte address; the distance is added to it. */
export const load = (address: I32, distance = 0): V128 =>
  expression('v128', address.code, [SIMD, 0x00, 2], unsigned(distance))
/** One float at a byte address, in all four lanes. */
export const loadSplat = (address: I32, distance = 0): V128 =>
  expression('v128', address.code, [SIMD, 0x09, 2], unsigned(distance))
/** One float at a byte address, in the first lane; the other lanes are zero. */
export const loadFirst = (address: I32, distance = 0): V128 =>
  expression('v128', address.code, [SIMD, 0x5c, 2], unsigned(distance))

/** A whole number at a byte address. */
export const loadInteger = (address: I32, distance = 0): I32 =>
  expression('i32', address.code, [0x28, 2], unsigned(distance))
export const loadFloat = (address: I32, distance = 0): F32 =>
  expression('f32', address.code, [0x2a, 2], unsigned(distance))
/** a * b + c rounded once; not every processor and engine has it: see features.ts. */
export const vFusedMultiplyAdd = (a: V128, b: V128, c: V128): V128 =>
  expression('v128', a.code, b.code, c.code, [SIMD, 0x85, 0x02])

interface LanesToStore {
  readonly count: 1 | 2
  readonly first: number
  readonly distance: number
}

/** The vector with one of its lanes (0 to 3) read from a byte address. */
export const loadLane = (address: I32, lane: number, rest: V128): V128 =>
  expression('v128', address.code, rest.code, [SIMD, 0x56, 2, 0, lane])
/** Rounds to the nearest whole number, still as a float. */
export const vNearest = (value: V128): V128 => expression('v128', value.code, [SIMD, 0x6a])
/** Whole numbers of floats, cut off, as integers; no number becomes 0. */
export const vToIntegers = (value: V128): V128 => expression('v128', value.code, [SIMD, 0xf8, 0x01])
/** Floats of integers. */
export const vFromIntegers = (value: V128): V128 => expression('v128', value.code, [SIMD, 0xfa, 0x01])
export const vAddIntegers = binary<'v128', 'v128'>('v128', SIMD, 0xae, 0x01)
export const vShiftLeft = (value: V128, bits: number): V128 =>
  expression('v128', value.code, i32(bits).code, [SIMD, 0xab, 0x01])
export const splatInteger = (value: I32): V128 => expression('v128', value.code, [SIMD, 0x11])

/** Which of the threads that share a memory this is, from 0 on: a number of the module's instance. */
export const threadNumber: I32 = expression('i32', [0x23, 0])

/** Collects the body of one function. */
export class FunctionBuilder {
  readonly name: string
  private readonly parameters: ValueType[] = []
  private readonly locals: ValueType[] = []
  private readonly body: number[] = []

  constructor(name: string) {
    this.name = name
  }

  /** Parameters are declared before locals. */
  parameter<T extends ValueType>(type: T): Local<T> {
    const index = this.parameters.push(type) - 1
    return { index, ...expression(type, [0x20], unsigned(index)) }
  }

  local<T extends ValueType>(type: T): Local<T> {
    const index = this.parameters.length + this.locals.push(type) - 1
    return { index, ...expression(type, [0x20], unsigned(index)) }
  }

  set<T extends ValueType>(local: Local<T>, value: Expression<T>): void {
    this.body.push(...value.code, 0x21, ...unsigned(local.index))
  }

  /** A new local with a first value. */
  let<T extends ValueType>(value: Expression<T>): Local<T> {
    const local = this.local(value.type)
    this.set(local, value)
    return local
  }

  /** Writes four floats to a byte address. */
  store(address: I32, value: V128, distance = 0): void {
    this.body.push(...address.code, ...value.code, SIMD, 0x0b, 2, ...unsigned(distance))
  }

  /** Writes the first of four floats to a byte address. */
  storeFirst(address: I32, value: V128, distance = 0): void {
    this.body.push(...address.code, ...value.code, SIMD, 0x5a, 2, ...unsigned(distance), 0)
  }

  /** Writes one or two of four floats to a byte address: lane `first`, or lanes 2 `first` and 2 `first` + 1. */
  storeLanes(address: I32, value: V128, { count, first, distance }: LanesToStore): void {
    const opcode = count === 1 ? 0x5a : 0x5b
    this.body.push(...address.code, ...value.code, SIMD, opcode, 2, ...unsigned(distance), first)
  }

  storeFloat(address: I32, value: F32, distance = 0): void {
    this.body.push(...address.code, ...value.code, 0x38, 2, ...unsigned(distance))
  }

  /** Runs the body where the condition is not zero, and `otherwise` where it is. */
  when(condition: I32, body: () => void, otherwise?: () => void): void {
    this.body.push(...condition.code, 0x04, 0x40)
    body()
    if (otherwise !== undefined) {
      this.body.push(0x05)
      otherwise()
    }
    this.body.push(0x0b)
  }

  /** Writes one lane (0 to 3) of four floats to a byte address. */
  storeLane(address: I32, value: V128, lane: number): void {
    this.body.push(...address.code, ...value.code, SIMD, 0x5a, 2, 0, lane)
  }

  /** Runs the body `count` times, not at all for 0 or less. */
  repeat(count: I32, body: () => void): void {
    const left = this.let(count)
    this.body.push(0x02, 0x40, ...left.code, ...i32(1).code, 0x48, 0x0d, 0, 0x03, 0x40)
    body()
    const less = subtract(left, i32(1))
    this.body.push(...less.code, 0x22, ...unsigned(left.index), ...i32(0).code, 0x4a, 0x0d, 0, 0x0b, 0x0b)
  }

  /** The function's type (parameters, no result) and its code, as the sections of a module hold them. */
  build(): { type: number[]; code: number[] } {
    const type = [0x60, ...vector(this.parameters.map((each) => [typeCodes[each]])), 0]
    const locals = vector(this.locals.map((each) => [1, typeCodes[each]]))
    const content = [...locals, ...this.body, 0x0b]
    return { type, code: [...unsigned(content.length), ...content] }
  }
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()]
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content]
}

function text(value: string): number[] {
  const bytes = new TextEncoder().encode(value)
  return [...unsigned(bytes.length), ...bytes]
}

const LARGEST_MEMORY = 65536

/** The name of the global that threadNumber reads. */
export const THREAD_NUMBER = 'threadNumber'

/**
 * A module that exports the functions by name and THREAD_NUMBER, a variable that is 0 at first, and imports its memory as
 * env.memory, shared between threads or not.
 */
export function assemble(functions: readonly FunctionBuilder[], sharedMemory: boolean): Uint8Array<ArrayBuffer> {
  const built = functions.map((each) => each.build())
  const limits = sharedMemory ? [0x03, 0, ...unsigned(LARGEST_MEMORY)] : [0x00, 0]
  const exported = functions.map(({ name }, index) => [...text(name), 0x00, ...unsigned(index)])
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector(built.map(({ type }) => type))),
    ...section(2, vector([[...text('env'), ...text('memory'), 0x02, ...limits]])),
    ...section(3, vector(built.map((_, index) => unsigned(index)))),
    ...section(6, vector([[typeCodes.i32, 1, ...i32(0).code, 0x0b]])),
    ...section(7, vector([...exported, [...text(THREAD_NUMBER), 0x03, 0]])),
    ...section(10, vector(built.map(({ code }) => code))),
  ])
}
