import { emitSeveral } from '../../graph/build.ts'
import { collectGraph } from '../../graph/collect.ts'
import { COMPOSITE, FILTER_GRADIENT, INPUT_GRADIENT, MAX_POOL_GRADIENT } from '../composite.ts'
import { expanded } from '../portable.ts'
import { lowerConvolution, lowerFilterGradient, lowerInputGradient } from './convolutions.ts'
import { ELEMENTWISE, lowerElementwise } from './elementwise.ts'
import { Forms } from './forms.ts'
import { lowerConcat, lowerMaxPoolGradient, lowerPooling, lowerReduction, lowerResize, lowerSplit } from './images.ts'
import type { Graph, GraphNode } from '../../graph/types.ts'

type Rule = (node: GraphNode, forms: Forms) => boolean

const RULES: Readonly<Record<string, Rule>> = {
  Conv: lowerConvolution,
  [INPUT_GRADIENT]: lowerInputGradient,
  [FILTER_GRADIENT]: lowerFilterGradient,
  [MAX_POOL_GRADIENT]: lowerMaxPoolGradient,
  MaxPool: lowerPooling,
  AveragePool: lowerPooling,
  Resize: lowerResize,
  Concat: lowerConcat,
  Split: lowerSplit,
  ReduceSum: lowerReduction,
  ReduceMean: lowerReduction,
}

/**
 * The graph with its images in blocks of `block` channels from the first convolution to the last, and composites in the forms
 * that are fastest so. ONNX Runtime does the same by itself for networks whose weights are constants; of a training step it
 * would leave all convolutions in their slower form.
 */
export function lowerBlocked(graph: Graph, block: number): Graph {
  const forms = new Forms(graph, block)
  for (const node of graph.nodes) {
    const rule = node.domain === 'com.microsoft' ? undefined : (RULES[node.op] ?? elementwise(node))
    if (rule?.(node, forms) !== true) asItIs(node, forms)
  }
  return collectGraph(
    graph.outputs.map((output) => forms.plain(output)),
    graph.inputs,
  )
}

function elementwise({ op, domain }: GraphNode): Rule | undefined {
  return domain === '' && ELEMENTWISE.has(op) ? lowerElementwise : undefined
}

function asItIs(node: GraphNode, forms: Forms): void {
  const inputs = node.inputs.map((input) => (input === null ? null : forms.plain(input)))
  const { op, domain, attributes, outputs } = node
  if (domain === COMPOSITE) {
    const [output] = outputs
    if (output !== undefined) forms.setPlain(output, expanded(node, inputs))
    return
  }
  const unchanged = inputs.every((input, index) => input === node.inputs[index])
  const values = unchanged ? outputs : emitSeveral(op, inputs, outputs, { attributes, domain })
  outputs.forEach((output, index) => {
    const value = values[index]
    if (value !== undefined) forms.setPlain(output, value)
  })
}
