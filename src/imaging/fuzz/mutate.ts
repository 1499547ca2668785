import type { Random } from './random.ts'

/** Numbers that readers trip over: signs, powers of two and their neighbours, extents that overflow a product. */
const INTERESTING = [
  0, 1, 2, 3, 7, 8, 16, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
]
const INTERESTING_FLOATS = [0, -0, 1e-30, -1, 1e30, 3.4e38, Infinity, -Infinity, NaN]

/** How much of a file counts as its header, where most of what can go wrong is decided. */
const HEADER = 1024

type Mutation = (bytes: Buffer, random: Random) => Buffer

const mutations: readonly Mutation[] = [
  flipBits,
  flipBits,
  setNumber,
  setNumber,
  setNumber,
  setFloat,
  truncate,
  truncate,
  append,
  removeBlock,
  repeatBlock,
  swapBlocks,
  garbage,
  digits,
  digits,
]

/** A damaged copy of a file: one to six changes, most of them near its start. */
export function mutate(original: Uint8Array, random: Random): Buffer {
  let bytes: Buffer = Buffer.from(original)
  const changes = random.pick([1, 1, 1, 2, 2, 3, 6])
  for (let i = 0; i < changes; i++) bytes = random.pick(mutations)(bytes, random)
  return bytes
}

function place(bytes: Buffer, random: Random, room = 1): number {
  const all = Math.max(1, bytes.length - room + 1)
  const reach = random.chance(0.7) ? Math.min(all, random.chance(0.5) ? HEADER : 128) : all
  return random.below(reach)
}

function flipBits(bytes: Buffer, random: Random): Buffer {
  if (bytes.length === 0) return bytes
  for (let i = random.below(4); i >= 0; i--) {
    const at = place(bytes, random)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8))
  }
  return bytes
}

function setNumber(bytes: Buffer, random: Random): Buffer {
  const width = random.pick([1, 2, 4, 8])
  if (bytes.length < width) return bytes
  const at = place(bytes, random, width)
  const value = BigInt(random.pick(INTERESTING)) * (width === 8 && random.chance(0.3) ? 2n ** 31n : 1n)
  const little = random.chance(0.5)
  for (let i = 0; i < width; i++) bytes[at + (little ? i : width - 1 - i)] = Number((value >> BigInt(8 * i)) & 255n)
  return bytes
}

function setFloat(bytes: Buffer, random: Random): Buffer {
  if (bytes.length < 8) return bytes
  const at = place(bytes, random, 8)
  const value = random.pick(INTERESTING_FLOATS)
  if (random.chance(0.5)) bytes.writeFloatLE(value, at)
  else bytes.writeDoubleLE(value, at)
  return bytes
}

function truncate(bytes: Buffer, random: Random): Buffer {
  return bytes.subarray(0, random.chance(0.5) ? place(bytes, random) : random.below(bytes.length + 1))
}

function append(bytes: Buffer, random: Random): Buffer {
  return Buffer.concat([bytes, noise(random.below(64) + 1, random)])
}

function removeBlock(bytes: Buffer, random: Random): Buffer {
  const at = place(bytes, random)
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(32))])
}

function repeatBlock(bytes: Buffer, random: Random): Buffer {
  const at = place(bytes, random)
  const block = bytes.subarray(at, at + 1 + random.below(64))
  return Buffer.concat([bytes.subarray(0, at), ...Array<Buffer>(1 + random.below(4)).fill(block), bytes.subarray(at)])
}

function swapBlocks(bytes: Buffer, random: Random): Buffer {
  const length = 1 + random.below(32)
  const [a, b] = [place(bytes, random, length), place(bytes, random, length)]
  const first = Buffer.from(bytes.subarray(a, a + length))
  bytes.copy(bytes, a, b, b + length)
  first.copy(bytes, b)
  return bytes
}

function garbage(bytes: Buffer, random: Random): Buffer {
  noise(1 + random.below(16), random).copy(bytes, place(bytes, random))
  return bytes
}

/** Headers in text: another number in the place of one. */
function digits(bytes: Buffer, random: Random): Buffer {
  const head = bytes.subarray(0, 4 * HEADER).toString('latin1')
  const numbers = [...head.matchAll(/-?\d+(\.\d+)?/g)]
  if (numbers.length === 0) return setNumber(bytes, random)
  const found = random.pick(numbers)
  const instead = random.pick([
    '0',
    '-1',
    '1',
    '65536',
    '4294967296',
    '99999999999999999999',
    '1e308',
    'nan',
    '',
    '1 2 3',
  ])
  const end = found.index + found[0].length
  return Buffer.concat([bytes.subarray(0, found.index), Buffer.from(instead), bytes.subarray(end)])
}

function noise(length: number, random: Random): Buffer {
  return Buffer.from(Uint8Array.from({ length }, () => random.below(256)))
}
