import * as tf from '@tensorflow/tfjs-core'

/**
 * As tf.variableGrads, and leaves no tensor behind where it fails. TensorFlow.js (4.22) keeps what operations save for their
 * gradients until these are taken; if they never are, since memory ran out halfway, it keeps it for good: nearly all of
 * a forward pass, so that not even a smaller one would find room.
 */
export function variableGradients(
  loss: () => tf.Scalar,
  variables: readonly tf.Variable[],
): ReturnType<typeof tf.variableGrads> {
  try {
    return tf.variableGrads(loss, [...variables])
  } catch (error) {
    forgetTape()
    throw error
  }
}

function forgetTape(): void {
  const { state } = tf.engine()
  // Inside of another gradient the tape is not ours; before the first there is none, whatever its type says.
  if (state.gradientDepth > 0 || !Array.isArray(state.activeTape)) return
  for (const { saved } of state.activeTape) tf.dispose(saved)
  state.activeTape = []
}
