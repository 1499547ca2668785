import { collectGraph } from './collect.ts'
import { optimize } from './passes/optimize.ts'
import type { Engine } from '../engine.ts'
import type { Held, Value } from './types.ts'

/**
 * Computes values, and with them `others`, by one graph. Afterwards they are inputs that hold the results, and what they came
 * from is forgotten. Where that fails, as for want of memory, the values are computed alone.
 */
export async function settle(engine: Engine, values: readonly Value[], others: readonly Value[] = []): Promise<void> {
  const all = pendingOf([...values, ...others])
  try {
    await compute(engine, all)
  } catch (error) {
    const wanted = pendingOf(values)
    if (wanted.length === all.length) throw error
    await compute(engine, wanted)
  }
}

function pendingOf(values: readonly Value[]): Value[] {
  return [...new Set(values)].filter(({ source }) => source.kind === 'node')
}

async function compute(engine: Engine, pending: readonly Value[]): Promise<void> {
  if (pending.length === 0) return
  const graph = optimize(collectGraph(pending))
  const compiled = await engine.compile(graph)
  const results = await compiled.run(graph.inputs.map(heldOf))
  pending.forEach((value, index) => {
    value.source = { kind: 'input', held: results[index] ?? null }
  })
}

/** What an input holds. */
export function heldOf({ source }: Value): Held {
  if (source.kind === 'input' && source.held !== null) return source.held
  if (source.kind === 'constant') return { elements: source.elements, device: null }
  throw new Error('The value is not computed yet.')
}
