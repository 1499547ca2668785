import { providerSchema, rungSchema } from '../../core/contract/schemas.ts'
import type { NativeWay, Provider, Rung, Way } from '../../core/contract/schemas.ts'

/** The rungs of the ladder of backends, highest first. */
export const RUNGS = rungSchema.options

const PROVIDERS = providerSchema.options

/** All ways, highest first: between two that are equally fast the higher one is taken. */
export const WAYS: readonly Way[] = RUNGS.flatMap((rung): Way[] =>
  rung === 'native' ? PROVIDERS.map(nativeWay) : [rung],
)

export function nativeWay(provider: Provider): NativeWay {
  return `native-${provider}`
}

export function providerOf(way: Way): Provider | null {
  return PROVIDERS.find((provider) => nativeWay(provider) === way) ?? null
}

export function rungOf(way: Way): Rung {
  return isNative(way) ? 'native' : way
}

export function isNative(way: Way): way is NativeWay {
  return providerOf(way) !== null
}

/**
 * Ways that load libraries and drivers which are not ours: they are let into a process only after they were proven in
 * one of their own. `wasm` and `js` are plain JavaScript and WebAssembly and cannot take a process along.
 */
export function isForeign(way: Way): way is ForeignWay {
  return way !== 'wasm' && way !== 'js'
}
export type ForeignWay = Exclude<Way, 'wasm' | 'js'>

/** Whether the threads of the processor compute; elsewhere their number says nothing. */
export function usesThreads(way: Way): boolean {
  return way === 'native-cpu' || way === 'tensorflow' || way === 'wasm'
}

/** The providers that the package of ONNX Runtime has on each system; CUDA's library is a download of its own. */
const PROVIDERS_BY_SYSTEM: Readonly<Record<string, readonly Provider[]>> = {
  'linux x64': ['cuda', 'webgpu', 'cpu'],
  'win32 x64': ['dml', 'webgpu', 'cpu'],
  'win32 arm64': ['dml', 'webgpu', 'cpu'],
  'darwin arm64': ['coreml', 'webgpu', 'cpu'],
}

/** The ways that a system may have, highest first. */
export function waysOfSystem(platform: string = process.platform, arch: string = process.arch): Way[] {
  const providers = PROVIDERS_BY_SYSTEM[`${platform} ${arch}`] ?? ['cpu']
  return WAYS.filter((way) => {
    const provider = providerOf(way)
    return provider === null || providers.includes(provider)
  })
}

/** What a name stands for: a way for itself, `native` for all its providers; none where nothing is called so. */
export function waysOf(name: string): Way[] {
  return WAYS.filter((way) => way === name || rungOf(way) === name)
}

export function isUsable(name: string): name is Way | Rung {
  return waysOf(name).length > 0
}

/** What TensorFlow.js calls the backend of a way. */
export function backendName(way: Way): string {
  return isNative(way) ? 'native' : BACKEND_NAMES[way]
}

const BACKEND_NAMES = {
  cuda: 'tensorflow',
  webgpu: 'webgpu',
  tensorflow: 'tensorflow',
  wasm: 'wasm',
  js: 'cpu',
} as const satisfies Record<Exclude<Rung, 'native'>, string>

/** The optional package that a way needs. */
export function optionalPackage(way: ForeignWay): string {
  return isNative(way) ? 'onnxruntime-node' : OPTIONAL_PACKAGES[way]
}

const OPTIONAL_PACKAGES = {
  cuda: '@tensorflow/tfjs-node-gpu',
  webgpu: 'webgpu',
  tensorflow: '@tensorflow/tfjs-node',
} as const satisfies Record<Exclude<ForeignWay, NativeWay>, string>
