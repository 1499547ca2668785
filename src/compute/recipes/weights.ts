import * as tf from '@tensorflow/tfjs-core'
import { isVariable, readFloats } from '../runtime/tensors.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'

/** All weights of a network: those that learn in the order of layers, then moving statistics. */
export function variablesOf(network: LayersModel): tf.Variable[] {
  return [...network.trainableWeights, ...network.nonTrainableWeights].map((weight) => {
    const variable = weight.read()
    if (isVariable(variable)) return variable
    throw new Error('A weight must be a variable.')
  })
}

/** Copies, in the order of variablesOf. */
export async function readWeights(network: LayersModel): Promise<Float32Array[]> {
  return await Promise.all(variablesOf(network).map(async (variable) => (await readFloats(variable)).slice()))
}

/** Throws where they are of other sizes. */
export function setWeights(network: LayersModel, weights: readonly Float32Array[]): void {
  variablesOf(network).forEach((variable, index) => {
    const values = weights[index]
    if (values?.length !== variable.size) throw new Error(`The weights for ${variable.name} are of another size.`)
    const tensor = tf.tensor(values.slice(), variable.shape, 'float32')
    variable.assign(tensor)
    tensor.dispose()
  })
}
