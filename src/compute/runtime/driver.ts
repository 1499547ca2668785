import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

/**
 * What tells one graphics driver from another without loading it: a driver that was updated makes what was proven with
 * the old one void. Names, sizes and dates of the files that it is found by.
 */
export function graphicsDriver(env: NodeJS.ProcessEnv = process.env): string {
  if (process.platform === 'linux') return [...vulkanFiles(env).map(fileFacts), nvidiaVersion()].join('\n')
  if (process.platform === 'win32') {
    const system = path.join(env.SystemRoot ?? 'C:\\Windows', 'System32')
    const names = ['nvapi64.dll', 'vulkan-1.dll', 'amdxx64.dll', 'igdumdim64.dll', 'DriverStore\\FileRepository']
    return [os.release(), ...names.map((name) => fileFacts(path.join(system, name)))].join('\n')
  }
  // Metal comes with the system.
  return os.release()
}

/** The kernel's NVIDIA driver, which CUDA and Vulkan share; empty where there is none. */
export function nvidiaVersion(): string {
  try {
    return readFileSync('/proc/driver/nvidia/version', 'utf8').split('\n', 1).join('')
  } catch {
    return ''
  }
}

/** Is there an NVIDIA driver, whatever its version? */
export function hasNvidiaDriver(): boolean {
  // A Mac has none; Linux tells under /proc, inside WSL by a device; Windows has the library in its system folder.
  const system = process.env.SystemRoot ?? 'C:\\Windows'
  const signs =
    process.platform === 'win32'
      ? [path.join(system, 'System32', 'nvcuda.dll')]
      : ['/proc/driver/nvidia/version', '/dev/dxg']
  return signs.some((sign) => existsSync(sign))
}

/** The loader and the manifests of the drivers, in the places where the loader looks. */
function vulkanFiles(env: NodeJS.ProcessEnv): string[] {
  const named = [env.VK_DRIVER_FILES, env.VK_ICD_FILENAMES, env.VK_ADD_DRIVER_FILES].flatMap(list)
  const data = env.XDG_DATA_HOME ?? path.join(os.homedir(), '.local', 'share')
  const folders = ['/usr/share', '/usr/local/share', '/etc', data].map((root) => path.join(root, 'vulkan', 'icd.d'))
  const libraries = [
    ...list(env.LD_LIBRARY_PATH),
    '/usr/lib',
    '/usr/lib64',
    `/usr/lib/${multiarch()}`,
    '/usr/local/lib',
  ]
  return [
    ...named.flatMap((file) => [file, ...besides(file)]),
    ...folders.flatMap(filesOf),
    ...libraries.map((folder) => path.join(folder, 'libvulkan.so.1')),
  ]
}

/** The libraries beside a manifest that was named: SwiftShader's lies there. */
function besides(file: string): string[] {
  return filesOf(path.dirname(file)).filter((each) => /vulkan|vk_/.test(path.basename(each)))
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
      .sort()
      .map((name) => path.join(folder, name))
  } catch {
    return []
  }
}

function list(text: string | undefined): string[] {
  return (text ?? '').split(path.delimiter).filter((each) => each !== '')
}

function multiarch(): string {
  return process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu'
}

/** Name, size and date of what a path leads to; the name alone where there is nothing. */
export function fileFacts(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false })
  return found === undefined ? file : `${file} ${found.size} ${Math.round(found.mtimeMs)}`
}
