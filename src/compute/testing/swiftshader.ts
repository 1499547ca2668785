import { fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'

/** Why tests on WebGPU are skipped where they are. */
export const WITHOUT_SWIFTSHADER =
  "SwiftShader from Debian's chromium package and the Vulkan loader (libvulkan1) are not on this machine"

const CHROMIUM = '/usr/lib/chromium'
const DRIVER = path.join(CHROMIUM, 'vk_swiftshader_icd.json')
const LOADER = 'libvulkan.so.1'
/** Mesa's layer looks for a display, and complains on standard error where there is none. */
const WITHOUT_LAYERS = { NODEVICE_SELECT: '1' }
const SYSTEM = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib']

/**
 * What a child process needs in its environment so that Vulkan, and with it WebGPU, finds SwiftShader, a graphics card
 * in software, and nothing else. The Vulkan loader is the system's, or else Chromium's own. null where one of the two is missing.
 */
export function swiftshaderEnv(): Record<string, string> | null {
  if (!existsSync(DRIVER)) return null
  const vulkan = { VK_ICD_FILENAMES: DRIVER, ...WITHOUT_LAYERS }
  if (SYSTEM.some((dir) => existsSync(path.join(dir, LOADER)))) return vulkan
  if (!existsSync(path.join(CHROMIUM, LOADER))) return null
  return { ...vulkan, LD_LIBRARY_PATH: CHROMIUM }
}

/** How a child ended, and the messages that it sent. */
export interface ChildEnd {
  readonly messages: readonly unknown[]
  readonly code: number | null
  readonly signal: string | null
  readonly stderr: string
}

/** Runs a script in a process of its own to its end, with `env` over this process's environment. */
export function runChild(script: string, args: readonly string[], env: Readonly<NodeJS.ProcessEnv>): Promise<ChildEnd> {
  return new Promise((resolve, reject) => {
    const child = fork(script, [...args], {
      execArgv: [],
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    const messages: unknown[] = []
    let stderr = ''
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.on('message', (message) => messages.push(message))
    child.once('error', reject)
    child.once('close', (code, signal) => {
      resolve({ messages, code, signal, stderr })
    })
  })
}
