import { badFile } from '../files.ts'
import { bytesOf, sampleBytes, viewAs } from '../voxels/index.ts'
import { heldType, type ElementType } from './elements.ts'

/** Longer than any number: a file that is no text has no such words. */
const LONGEST = 64

/**
 * Samples written as decimal numbers, with space or commas between them, as the bytes of their type (64-bit integers as float64) in
 * the computer's byte order. Throws CodedError('bad-file') where a word is no number of the type.
 */
export async function* samplesOfText(
  source: AsyncIterable<Uint8Array>,
  element: ElementType,
  path: string,
): AsyncGenerator<Uint8Array> {
  const type = heldType(element)
  const whole = type !== 'float32' && type !== 'float64'
  for await (const found of words(source, path)) {
    const values = viewAs(type, new ArrayBuffer(found.length * sampleBytes(type)))
    found.forEach((word, i) => {
      const value = numberOf(word)
      values[i] = value
      if (Number.isNaN(value) ? !whole && /^[+-]?nan$/i.test(word) : !whole || values[i] === value) return
      throw badFile(path, `holds "${word}" where a number of type ${element} should be; get it again.`)
    })
    yield bytesOf(values)
  }
}

function numberOf(word: string): number {
  const infinite = /^([+-]?)inf(inity)?$/i.exec(word)
  if (infinite !== null) return infinite[1] === '-' ? -Infinity : Infinity
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word) ? Number(word) : NaN
}

async function* words(source: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<string[]> {
  let rest = ''
  for await (const chunk of source) {
    const found = (rest + asText(chunk)).split(/[\s,]+/)
    rest = found.pop() ?? ''
    if (rest.length > LONGEST || found.some((word) => word.length > LONGEST)) {
      throw badFile(path, 'is no text of numbers, as its header says; get it again from where it came from.')
    }
    yield found.filter((word) => word !== '')
  }
  if (rest !== '') yield [rest]
}

function asText(chunk: Uint8Array): string {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1')
}

/** Bytes written as two hexadecimal digits each, with or without white space between them. */
export async function* bytesOfHex(source: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<Uint8Array> {
  let rest = ''
  for await (const chunk of source) {
    const digits = rest + asText(chunk).replace(/\s+/g, '')
    if (/[^0-9a-f]/i.test(digits)) {
      throw badFile(path, 'holds something other than hexadecimal digits; get it again from where it came from.')
    }
    rest = digits.length % 2 === 1 ? digits.slice(-1) : ''
    yield Buffer.from(digits.slice(0, digits.length - rest.length), 'hex')
  }
}

/** Numbers between white space; "nan" is NaN. */
export function numbersOf(text: string | undefined): number[] {
  if (text === undefined || text.trim() === '') return []
  return text.trim().split(/\s+/).map(Number)
}
