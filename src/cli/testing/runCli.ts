import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll } from 'vitest'

/** In place of the folder of this user, whose settings of compute are none of a test's business. */
const userFolder = mkdtempSync(join(tmpdir(), 'maskwright-user-'))
// A worker of the tests is ended before its own end is told.
afterAll(() => rmSync(userFolder, { recursive: true, force: true }))

const entry = resolve(import.meta.dirname, '../main.ts')
const launcher = resolve(import.meta.dirname, '../../../bin/maskwright.mjs')
/** The launcher then starts the Node that the workstation brings along, as a process of its own. */
const OLD_NODE =
  "data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.0.0'}})"

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The command line as a process of its own, from source; or through bin/, as from a Node that is too old for it. */
export function startCli(
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; detached?: boolean; launched?: boolean } = {},
) {
  const start = options.launched === true ? ['--import', OLD_NODE, launcher] : [entry]
  const child = spawn(process.execPath, [...start, ...args], {
    cwd: options.cwd ?? process.cwd(),
    env: { ...process.env, XDG_DATA_HOME: userFolder, LOCALAPPDATA: userFolder, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // With a process group of its own, what it started can be ended with it.
    detached: options.detached ?? false,
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
  return { child: child as ChildProcess, finished, stdout: () => stdout }
}

export function runCli(...args: string[]): Promise<Finished> {
  return startCli(args).finished
}
