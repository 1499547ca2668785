import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { NativeBackend } from '../../src/compute/native/backend.ts'
import { profilesIn } from '../../src/compute/native/session/profile.ts'
import type { Profile } from './report.ts'

/** So many of the most expensive nodes are named, the others are one entry. */
const NAMED = 40
/** What lies between nodes: ONNX Runtime itself, what is fed and read. */
const OUTSIDE = 'outside nodes'

/**
 * Milliseconds by node of the largest graph that one call of `work` runs on the rung `native`, as medians over `runs` calls:
 * first the sums by operation ("all Conv (18)"), then the most expensive nodes with the shape of what they give. null on
 * other backends.
 */
export async function nodeProfile(work: () => Promise<unknown>, runs = 10): Promise<Profile | null> {
  const backend = tf.backend()
  if (!(backend instanceof NativeBackend)) return null
  const folder = mkdtempSync(path.join(os.tmpdir(), 'bench-nodes-'))
  try {
    const profiles = profilesIn(folder)
    backend.engine.profileTo(profiles)
    for (let run = 0; run < runs; run++) await work()
    const [largest] = profiles.take(runs).sort((a, b) => b.ms - a.ms)
    if (largest === undefined) return {}
    const { ms, byOperation, byNode } = largest
    const sum = (nodes: readonly { readonly ms: number }[]) => nodes.reduce((total, node) => total + node.ms, 0)
    const entries: [string, number][] = [
      ...byOperation.map(({ op, nodes, ms: each }): [string, number] => [`all ${op} (${nodes})`, each]),
      ...byNode
        .slice(0, NAMED)
        .map(({ node, op, shape, ms: each }): [string, number] => [`${op} ${node} ${shape}`, each]),
      ['other nodes', sum(byNode.slice(NAMED))],
      [OUTSIDE, ms - sum(byNode)],
    ]
    return Object.fromEntries(entries.map(([name, each]) => [name, Math.round(1000 * each) / 1000]))
  } finally {
    backend.engine.profileTo(null)
    rmSync(folder, { recursive: true, force: true })
  }
}
