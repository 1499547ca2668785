import { resolve } from 'node:path'

/**
 * The project folder asked for by `--project DIR` or `--project=DIR`, absolute; null when there is none. Everything
 * else on Electron's command line belongs to Electron and Chromium.
 */
export function projectArgument(argv: readonly string[], cwd: string): string | null {
  const at = argv.findIndex((argument) => argument === '--project' || argument.startsWith('--project='))
  const argument = argv[at]
  const value = argument?.startsWith('--project=') === true ? argument.slice('--project='.length) : argv[at + 1]
  return argument === undefined || value === undefined || value === '' ? null : resolve(cwd, value)
}
