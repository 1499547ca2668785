/**
 * Computes anew what the self-test of the compute backends compares with, on the `js` backend, and writes it to
 * src/compute/runtime/selfTestReference.ts:
 *
 *     node scripts/self-test-reference.ts [--composed] [--print]
 *
 * Only after the networks, the loss or the optimizer were changed on purpose. `--composed` leaves out our own kernels
 * for `js`, except for the gradient that is wrong in tfjs-backend-cpu, so that everything is composed of its operations:
 * the same numbers by another way. `--print` writes nothing.
 */
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { registerJsKernels } from '../src/compute/kernels/index.ts'
import { registerResizeNearestNeighborGradForJs } from '../src/compute/kernels/resizeNearestNeighbor.ts'
import { SELF_TEST_NETWORKS, selfTestNumbers } from '../src/compute/runtime/selfTest.ts'
import type { SelfTestNetwork } from '../src/compute/runtime/selfTest.ts'

const { values } = parseArgs({ options: { composed: { type: 'boolean' }, print: { type: 'boolean' } } })
await tf.setBackend('cpu')
if (values.composed === true) registerResizeNearestNeighborGradForJs()
else registerJsKernels()

const round = (_: string, value: unknown): unknown => (typeof value === 'number' ? Number(value.toPrecision(7)) : value)
const entries: string[] = []
for (const name of Object.keys(SELF_TEST_NETWORKS)) {
  if (!isNetwork(name)) continue
  entries.push(`  ${name}: ${JSON.stringify(await selfTestNumbers(name), round)},`)
}
const text = `import type { SelfTestNetwork } from './selfTest.ts'
import type { SelfTestNumbers } from './selfTestNumbers.ts'

/** From the \`js\` backend of TensorFlow.js ${tf.version_core}, by scripts/self-test-reference.ts. */
export const SELF_TEST_REFERENCE: Record<SelfTestNetwork, SelfTestNumbers> = {
${entries.join('\n')}
}
`
const file = path.resolve(import.meta.dirname, '../src/compute/runtime/selfTestReference.ts')
if (values.print === true) console.log(text)
else await writeFile(file, text)

function isNetwork(name: string): name is SelfTestNetwork {
  return Object.hasOwn(SELF_TEST_NETWORKS, name)
}
