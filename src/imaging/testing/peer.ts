import { spawnSync } from 'node:child_process'

/** A Python that has the wanted modules, or the reason why there is none. */
export type PythonPeer =
  | { readonly available: true; readonly python: string; readonly reason: '' }
  | { readonly available: false; readonly python: null; readonly reason: string }

/**
 * Looks for a Python 3 with the given modules: MASKWRIGHT_PYTHON, Debian's own (which has the packages that the test
 * set-up installs), then the one on the path. Tests that compare with it skip with `reason` where there is none.
 */
export function findPython(modules: readonly string[]): PythonPeer {
  const candidates = [process.env.MASKWRIGHT_PYTHON, '/usr/bin/python3', 'python3'].filter((name) => name !== undefined)
  for (const python of candidates) {
    const { status } = spawnSync(python, ['-c', `import ${modules.join(', ')}`], { stdio: 'ignore', timeout: 60_000 })
    if (status === 0) return { available: true, python, reason: '' }
  }
  return { available: false, python: null, reason: `no Python with ${modules.join(' and ')} on this machine` }
}

/** Runs a script and gives what it printed, parsed as JSON. Throws with its error output where it failed. */
export function runPython(peer: PythonPeer, script: string, args: readonly string[] = []): unknown {
  if (!peer.available) throw new Error(peer.reason)
  const { status, stdout, stderr } = spawnSync(peer.python, ['-W', 'ignore', '-c', script, ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    timeout: 240_000,
  })
  if (status !== 0) throw new Error(`python failed: ${stderr}`)
  return JSON.parse(stdout)
}
