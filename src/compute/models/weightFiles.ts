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
  // Memory is taken for what is there, whatever the manifest says.
  const parts: Uint8Array[] = []
  for (const { files, bytes } of groups) {
    let left = bytes
    for (const shard of files) {
      const part = await readPart(path.join(dir, shard), { most: left })
      parts.push(part)
      left -= part.length
    }
    if (left !== 0) throw refusal(path.join(dir, files.join(', ')), `lacks ${left} bytes`, 'damaged')
  }
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole.buffer
}

/** The place of the first weight that is infinite or no number, or null. */
export function firstNonFinite(weights: ArrayBuffer): number | null {
  const at = new Float32Array(weights).findIndex((value) => !Number.isFinite(value))
  return at < 0 ? null : at
}
