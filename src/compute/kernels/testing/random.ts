import { createRandom } from '../../data/random.ts'

/** Values in [-1, 1), the same for the same seed. */
export function randomValues(shape: readonly number[], seed: number): Float32Array {
  const random = createRandom(seed)
  return Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 2 * random() - 1)
}

export interface Choice {
  /** A whole number from `least` to `most`. */
  whole(least: number, most: number): number
  of<T>(values: readonly [T, ...T[]]): T
}

/** `count` cases made by `make` from random choices of fixed seeds; each is named by its number and content. */
export function randomCases<T>(count: number, seed: number, make: (choice: Choice) => T): [name: string, value: T][] {
  const random = createRandom(seed)
  const whole = (least: number, most: number) => least + Math.floor(random() * (most - least + 1))
  const choice: Choice = { whole, of: (values) => values[whole(0, values.length - 1)] ?? values[0] }
  return Array.from({ length: count }, (_, i) => {
    const value = make(choice)
    return [`${i}: ${JSON.stringify(value)}`, value]
  })
}
