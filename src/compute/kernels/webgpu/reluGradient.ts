import { input } from '../register.ts'
import { RELU_GRADIENT } from '../reluGradient.ts'
import { registerWebgpuKernel, runByElement } from './program.ts'

/** y (the output of a ReLU) and dy -> dy where y > 0, else 0, in one pass. */
export function registerReluGradient(): void {
  registerWebgpuKernel(RELU_GRADIENT, ({ inputs, backend }) => {
    const y = input(inputs, 'y')
    return runByElement(
      backend,
      {
        key: 'reluGradient',
        inputs: [
          { name: 'y', tensor: y },
          { name: 'dy', tensor: input(inputs, 'dy') },
        ],
        outputShape: y.shape,
        uniforms: [],
      },
      'return select(0.0, f32(dy[index]), f32(y[index]) > 0.0);',
    )
  })
}
