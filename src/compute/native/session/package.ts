import { z } from 'zod'
import { findPackage } from '../../runtime/optionalPackages.ts'
import { RungUnavailable } from '../../runtime/unavailable.ts'
import type { Env, InferenceSession, Tensor } from 'onnxruntime-common'
import type { DeviceTensor } from '../graph/types.ts'

/** The npm package of ONNX Runtime for Node, which carries its libraries. */
export const ONNX_RUNTIME_PACKAGE = 'onnxruntime-node'

/** What is used of it. */
export interface OnnxRuntime {
  readonly version: string
  readonly createSession: (
    bytes: Uint8Array | string,
    options: InferenceSession.SessionOptions,
  ) => Promise<InferenceSession>
  readonly tensor: (type: Tensor.Type, elements: Tensor.DataTypeMap[Tensor.Type], shape: readonly number[]) => Tensor
  /** A tensor of a device under this type and shape; the memory stays that of the one given. */
  readonly deviceTensor: (device: DeviceTensor, type: Tensor.Type, shape: readonly number[]) => Tensor
  /** Providers that this package knows of, with whether their libraries are in it. */
  readonly providers: () => { readonly name: string; readonly bundled: boolean }[]
}

interface TensorClass {
  new (type: Tensor.Type, data: unknown, dims: readonly number[]): Tensor
  /** Under Node the buffer is an object of the package's own, not WebGPU's. */
  fromGpuBuffer(buffer: unknown, options: { readonly dataType: Tensor.Type; readonly dims: readonly number[] }): Tensor
}

const moduleSchema = z.object({
  env: z.custom<Pick<Env, 'logLevel'>>((value) => typeof value === 'object' && value !== null),
  InferenceSession: z.custom<typeof InferenceSession>((value) => typeof value === 'function'),
  Tensor: z.custom<TensorClass>((value) => typeof value === 'function'),
  listSupportedBackends: z.custom<() => { name: string; bundled: boolean }[]>((value) => typeof value === 'function'),
})

/** Loads it; throws RungUnavailable where the package is missing or its library does not load. */
export function loadOnnxRuntime(packagesDir: string | null): OnnxRuntime {
  const found = findPackage(ONNX_RUNTIME_PACKAGE, packagesDir)
  if (found === null) {
    throw new RungUnavailable(
      `The optional package ${ONNX_RUNTIME_PACKAGE} is not installed.`,
      'Install Maskwright again without leaving out optional packages.',
    )
  }
  // Its library reports model names, hashes and the computer to its maker unless this is set when it loads, and keeps what it
  // could not send in the user's cache folder. Nothing may leave this computer.
  process.env.ORT_DISABLE_TELEMETRY = '1'
  const parsed = moduleSchema.safeParse(found.load())
  if (!parsed.success) throw new RungUnavailable(`The package ${ONNX_RUNTIME_PACKAGE} is not what it should be.`, null)
  const { InferenceSession: Session, Tensor: OrtTensor, listSupportedBackends, env } = parsed.data
  // Before the first session. What it would print is in the errors that it throws.
  env.logLevel = 'fatal'
  return {
    version: found.version,
    // Told apart for its types, which know a path and bytes as different functions.
    createSession: (model, options) =>
      typeof model === 'string' ? Session.create(model, options) : Session.create(model, options),
    tensor: (type, elements, shape) => new OrtTensor(type, elements, shape),
    deviceTensor: ({ gpuBuffer }, dataType, dims) => OrtTensor.fromGpuBuffer(gpuBuffer, { dataType, dims }),
    providers: () => listSupportedBackends(),
  }
}
