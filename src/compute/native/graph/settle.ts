import { collectGraph } from './collect.ts'
import { optimize } from './passes/optimize.ts'
import type { Engine } from '../engine.ts'
import type { Held, Value } from './types.ts'

/** Computes values by one graph. Afterwards they are inputs that hold the results, and what they came from is forgotten. */
export async function settle(engine: Engine, values: readonly Value[]): Promise<void> {
  const pending = [...new Set(values)].filter(({ source }) => source.kind === 'node')
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
