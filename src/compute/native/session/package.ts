import { z } from 'zod'
import { findPackage } from '../../runtime/optionalPackages.ts'
import { RungUnavailable } from '../../runtime/unavailable.ts'
import type { InferenceSession, Tensor } from 'onnxruntime-common'

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
  /** Providers that this package knows of, with whether their libraries are in it. */
  readonly providers: () => { readonly name: string; readonly bundled: boolean }[]
}

const moduleSchema = z.object({
  InferenceSession: z.custom<typeof InferenceSession>((value) => typeof value === 'function'),
  Tensor: z.custom<new (type: Tensor.Type, data: unknown, dims: readonly number[]) => Tensor>(
    (value) => typeof value === 'function',
  ),
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
  const parsed = moduleSchema.safeParse(found.load())
  if (!parsed.success) throw new RungUnavailable(`The package ${ONNX_RUNTIME_PACKAGE} is not what it should be.`, null)
  const { InferenceSession: Session, Tensor: OrtTensor, listSupportedBackends } = parsed.data
  return {
    version: found.version,
    // Told apart for its types, which know a path and bytes as different functions.
    createSession: (model, options) =>
      typeof model === 'string' ? Session.create(model, options) : Session.create(model, options),
    tensor: (type, elements, shape) => new OrtTensor(type, elements, shape),
    providers: () => listSupportedBackends(),
  }
}
