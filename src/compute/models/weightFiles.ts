import path from 'node:path'
import { readPart, refusal } from './reading.ts'
import type { WeightGroup } from './topology.ts'

/** The bytes of all weight files beside each other, each group of them exactly as long as its weights need. */
export async function readWeights(dir: string, groups: readonly WeightGroup[]): Promise<ArrayBuffer> {
  const [group, ...more] = groups
  const [file, ...shards] = group?.files ?? []
  if (group !== undefined && file !== undefined && more.length === 0 && shards.length === 0) {
    return (await readPart(path.join(dir, file), { exactly: group.bytes })).buffer
  }
  const whole = new Uint8Array(groups.reduce((sum, { bytes }) => sum + bytes, 0))
  let offset = 0
  for (const { files, bytes } of groups) {
    const end = offset + bytes
    for (const shard of files) {
      const part = await readPart(path.join(dir, shard), { most: end - offset })
      whole.set(part, offset)
      offset += part.length
    }
    if (offset !== end) throw refusal(path.join(dir, files.join(', ')), `lacks ${end - offset} bytes`, 'damaged')
  }
  return whole.buffer
}

/** The place of the first weight that is infinite or no number, or null. */
export function firstNonFinite(weights: ArrayBuffer): number | null {
  const at = new Float32Array(weights).findIndex((value) => !Number.isFinite(value))
  return at < 0 ? null : at
}
