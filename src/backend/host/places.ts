import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, sep } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'

/** Where the parts of the installed workstation lie, as absolute paths. */
export interface Places {
  readonly root: string
  readonly version: string
  /** The built page. */
  readonly rendererDir: string
  /** The built preload script. */
  readonly preload: string
  /** What the compute process runs: built when this code is built, else the source. */
  readonly computeEntry: string
  /** A Node binary that can run it; not Electron's own, which lends no external buffers. */
  readonly nodePath: string
  /** The small model that comes with the workstation; null where it is missing. */
  readonly modelDir: string | null
}

/**
 * Finds the parts by the package.json above this very file, so that it does not matter whether it runs from source or
 * built into some chunk.
 */
export function findPlaces(here = import.meta.dirname, env: NodeJS.ProcessEnv = process.env): Places {
  const found = findPackage(here)
  if (found === null) {
    throw new CodedError('internal', 'Maskwright does not find its own files; install it again.', { detail: here })
  }
  const { root, version } = found
  const out = join(root, 'out')
  const built = here.startsWith(out + sep)
  const model = join(root, 'resources', 'models', 'demo')
  const node = process.platform === 'win32' ? 'node.exe' : 'node'
  const inElectron = 'electron' in process.versions
  const ownNode = inElectron ? join(root, 'node_modules', 'node', 'bin', node) : process.execPath
  return {
    root,
    version,
    rendererDir: join(out, 'renderer'),
    preload: join(out, 'preload', 'index.cjs'),
    computeEntry: built ? join(out, 'main', 'compute.js') : join(root, 'src', 'compute', 'entry.ts'),
    nodePath: env.MASKWRIGHT_NODE ?? ownNode,
    modelDir: existsSync(join(model, 'card.json')) ? model : null,
  }
}

function findPackage(start: string): { root: string; version: string } | null {
  for (let folder = start; ; folder = dirname(folder)) {
    try {
      const content: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      if (isOwnPackage(content)) return { root: folder, version: content.version }
    } catch {
      // No package.json here, or someone else's that is broken.
    }
    if (folder === dirname(folder)) return null
  }
}

function isOwnPackage(content: unknown): content is { name: 'maskwright'; version: string } {
  return (
    typeof content === 'object' &&
    content !== null &&
    'name' in content &&
    content.name === 'maskwright' &&
    'version' in content &&
    typeof content.version === 'string'
  )
}

/** The folder of this user for what Maskwright keeps beside projects, by the custom of each system. */
export function userDataDir(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
  home: string = homedir(),
): string {
  if (platform === 'win32') return join(env.LOCALAPPDATA ?? join(home, 'AppData', 'Local'), 'Maskwright')
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'Maskwright')
  return join(env.XDG_DATA_HOME ?? join(home, '.local', 'share'), 'maskwright')
}
