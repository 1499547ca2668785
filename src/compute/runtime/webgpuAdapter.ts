import { z } from 'zod'
import { nvidiaDevice } from './device.ts'
import { findPackage } from './optionalPackages.ts'
import { RungUnavailable } from './unavailable.ts'
import type { ComputeDevice } from '../../core/contract/schemas.ts'

/** The npm package of Dawn, Chromium's WebGPU, for Node. */
export const DAWN_PACKAGE = 'webgpu'

/** A graphics device that was opened, with what is known of it. */
export interface OpenedDevice {
  readonly device: GPUDevice
  readonly info: AdapterInfo
  readonly described: ComputeDevice
  /** No graphics card but a program that computes like one (SwiftShader, llvmpipe, WARP). */
  readonly software: boolean
}

const infoSchema = z.object({
  vendor: z.string(),
  architecture: z.string(),
  device: z.string(),
  description: z.string(),
  isFallbackAdapter: z.boolean().optional(),
})
export type AdapterInfo = z.infer<typeof infoSchema>

/**
 * What the programs of tfjs-backend-webgpu need at least: the smallest values that WebGPU allows an adapter that is not
 * in its compatibility mode. The device is asked for all that the adapter has.
 */
const NEEDED_LIMITS = {
  maxBufferSize: 2 ** 28,
  maxStorageBufferBindingSize: 2 ** 27,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 2 ** 14,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupsPerDimension: 65535,
} as const satisfies Partial<Record<keyof GPUSupportedLimits, number>>
type LimitName = keyof typeof NEEDED_LIMITS
const LIMIT_NAMES = Object.keys(NEEDED_LIMITS).filter((name) => isLimitName(name))

/**
 * Loads Dawn and opens the fastest graphics device. Throws RungUnavailable, with what to do, when the package, the
 * driver or the card is not there or is too small.
 */
export async function openDevice(packagesDir: string | null): Promise<OpenedDevice> {
  const adapter = await requestAdapter(startDawn(packagesDir))
  const info = infoSchema.parse(Reflect.get(adapter, 'info'))
  const missing = missingLimit(adapter.limits)
  if (missing !== null) {
    throw new RungUnavailable(`The graphics device ${deviceName(info)} is too small for training: ${missing}.`)
  }
  // Measures the time of a program, for the benchmarks.
  const timing: GPUFeatureName = 'timestamp-query'
  let device: GPUDevice
  try {
    device = await adapter.requestDevice({
      requiredFeatures: adapter.features.has(timing) ? [timing] : [],
      requiredLimits: Object.fromEntries(LIMIT_NAMES.map((name) => [name, adapter.limits[name]])),
    })
  } catch (error) {
    throw new RungUnavailable(`The graphics device ${deviceName(info)} did not open.`, DRIVER_REMEDY, {
      detail: String(error),
    })
  }
  return {
    device,
    info,
    described: await describe(info),
    software: isSoftware(info),
  }
}

/**
 * What that device is, without opening it. Null where nobody can tell, since the package is not there or does not load;
 * throws RungUnavailable where there is no device.
 */
export async function findAdapter(
  packagesDir: string | null,
): Promise<Pick<OpenedDevice, 'described' | 'software'> | null> {
  let gpu: GPU
  try {
    gpu = startDawn(packagesDir)
  } catch {
    return null
  }
  const info = infoSchema.parse(Reflect.get(await requestAdapter(gpu), 'info'))
  return { described: await describe(info), software: isSoftware(info) }
}

/** The fastest one. ONNX Runtime asks its own Dawn in the same words. */
async function requestAdapter(gpu: GPU): Promise<GPUAdapter> {
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
  if (adapter === null) throw noAdapter()
  return adapter
}

const dawnSchema = z.object({
  create: z.custom<(options: string[]) => GPU>((value) => typeof value === 'function'),
  globals: z.record(z.string(), z.unknown()),
})

/** One for the process: Dawn works as long as something refers to it. */
let dawn: GPU | null = null

/** Loads the package, and puts what it gives where TensorFlow.js looks for it: navigator.gpu and the GPU* classes. */
function startDawn(packagesDir: string | null): GPU {
  if (dawn !== null) return dawn
  const found = findPackage(DAWN_PACKAGE, packagesDir)
  if (found === null) {
    throw new RungUnavailable(
      `The optional package ${DAWN_PACKAGE} is not installed.`,
      'Install Maskwright again without leaving out optional packages.',
    )
  }
  try {
    const { create, globals } = dawnSchema.parse(found.load())
    for (const [name, value] of Object.entries(globals)) {
      if (/^(GPU|WGSL)/.test(name))
        Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
    }
    dawn = create([])
  } catch (error) {
    throw new RungUnavailable(
      `The library of the package ${DAWN_PACKAGE} cannot be loaded on this system (${process.platform} ${process.arch}).`,
      'It needs Windows, macOS or a Linux with glibc 2.34 or newer, on a 64-bit Intel, AMD or ARM processor.',
      { detail: String(error), cause: error },
    )
  }
  Object.defineProperty(globalThis.navigator, 'gpu', { value: dawn, configurable: true })
  return dawn
}

const DRIVER_REMEDY = "Install or update the graphics card's driver."

export function noAdapter(): RungUnavailable {
  if (process.platform !== 'linux') {
    return new RungUnavailable('No graphics card that can be used was found.', DRIVER_REMEDY)
  }
  if (hasVulkanLoader()) {
    return new RungUnavailable(
      'No graphics card with a Vulkan driver was found.',
      "Install the card's Vulkan driver (on Debian and Ubuntu mesa-vulkan-drivers, or NVIDIA's own).",
    )
  }
  return new RungUnavailable(
    'The library libvulkan.so.1 is missing, by which graphics cards are reached.',
    "Install it (on Debian and Ubuntu the package libvulkan1) and the card's driver.",
  )
}

/** Asks the system's own search for libraries, which knows all places; the library is no module, which is fine. */
function hasVulkanLoader(): boolean {
  try {
    process.dlopen({ exports: {} }, 'libvulkan.so.1')
    return true
  } catch (error) {
    return !String(error).includes('cannot open shared object file')
  }
}

/** The first limit that is too low, in words; null when none is. */
export function missingLimit(limits: Readonly<Record<LimitName, number>>): string | null {
  const name = LIMIT_NAMES.find((each) => limits[each] < NEEDED_LIMITS[each])
  return name === undefined ? null : `its ${name} is ${limits[name]} instead of ${NEEDED_LIMITS[name]} or more`
}

function isLimitName(name: string): name is LimitName {
  return Object.hasOwn(NEEDED_LIMITS, name)
}

async function describe(info: AdapterInfo): Promise<ComputeDevice> {
  const name = deviceName(info)
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '')
  // Dawn tells no one how much memory a card has.
  const card = info.vendor === 'nvidia' ? await nvidiaDevice() : null
  return card !== null && plain(card.name) === plain(name) ? card : { name, memoryMB: null }
}

const SPELLINGS = new Map(
  [
    'AMD',
    'ARM',
    'ATI',
    'NVIDIA',
    'GeForce',
    'GTX',
    'RTX',
    'RX',
    'GT',
    'HD',
    'UHD',
    'XT',
    'XTX',
    'SwiftShader',
    'LLVM',
  ].map((word) => [word.toLowerCase(), word]),
)

/** "nvidia-geforce-rtx-3060" in the usual spelling; software devices are said to be that. */
export function deviceName(info: AdapterInfo): string {
  const { vendor, architecture, device, description } = info
  const words = device.split(/[^\p{L}\p{N}.]+/u).filter((word) => word !== '')
  const spelled = words.map((word) => SPELLINGS.get(word) ?? word.charAt(0).toUpperCase() + word.slice(1)).join(' ')
  const name = spelled === '' ? [vendor, architecture, description].find((text) => text !== '') : spelled
  return isSoftware(info) ? `${name ?? 'unnamed device'} (software, no graphics card)` : (name ?? 'unnamed device')
}

export function isSoftware({ isFallbackAdapter, architecture, device, description }: AdapterInfo): boolean {
  const known = /swiftshader|llvmpipe|lavapipe|basic.render|\bwarp\b/i
  return isFallbackAdapter === true || [architecture, device, description].some((text) => known.test(text))
}
