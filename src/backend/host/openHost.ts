import { readdir } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import { lendCompute } from '../compute/lent.ts'
import { createComputeProcess } from '../compute/process.ts'
import { createBackend, createDemoProject, createProject, projectExists, type Backend } from '../index.ts'
import { readLastProject, readRecentProjects, rememberProject } from './lastProject.ts'
import { userDataDir, type Places } from './places.ts'
import { createSwitchboard, type OpenProject } from './switchboard.ts'

export interface HostOptions {
  readonly places: Places
  /** The project folder asked for; null: the one that was open last, else the demo project of this user. */
  readonly projectDir: string | null
  /** Make the demo project in `projectDir` where there is none yet, instead of an empty one. */
  readonly demo?: boolean
  readonly shell: 'electron' | 'browser'
  /** For the compute process, before what the user chose for this computer: MASKWRIGHT_BACKEND, MASKWRIGHT_THREADS. */
  readonly computeEnv?: Readonly<Record<string, string>>
  /** Where the demo project, the memory of the last project and the settings of compute are kept. */
  readonly dataDir?: string
  readonly log?: (line: string) => void
  /** Sentences for the user about what is done unasked; to `log` where it is missing. */
  readonly tell?: (sentence: string) => void
}

/** An open project with its backend and compute process, as every shell has it; another can be opened in its place. */
export interface Host {
  /** Absolute; of the project that is open at the moment. */
  readonly projectDir: string
  readonly backend: Pick<Backend, 'handlers' | 'events' | 'registerFile'>
  /** Resolves when all that was promised is on disk and the compute process has ended. */
  close(): Promise<void>
}

/**
 * Chooses the project, makes it where it does not exist yet, starts compute, and opens the backend.
 *
 * @throws CodedError with a sentence for the user: `no-project` for a folder that holds something else, `busy` where
 *   another Maskwright has the project open, and what the disk says.
 */
export async function openHost(options: HostOptions): Promise<Host> {
  const dataDir = options.dataDir ?? userDataDir()
  if (options.projectDir !== null) return await openAt(resolve(options.projectDir), options, dataDir)
  const demo = join(dataDir, 'demo')
  const last = readLastProject(dataDir)
  if (last === null || last === demo || !projectExists(last)) return await openAt(demo, options, dataDir)
  try {
    return await openAt(last, options, dataDir)
  } catch (error) {
    // A damaged last project must not stand in the way of every start; one that is open elsewhere is a plain answer.
    if (!(error instanceof CodedError) || error.code === 'busy') throw error
    const tell = options.tell ?? options.log
    tell?.(`${error.message} Opening the demo project instead.`)
    return await openAt(demo, options, dataDir)
  }
}

async function openAt(projectDir: string, options: HostOptions, dataDir: string): Promise<Host> {
  const { places, log = () => undefined } = options
  if (!projectExists(projectDir)) {
    if (options.projectDir === null || options.demo === true) {
      const tell = options.tell ?? log
      tell(`Making the demo project in ${projectDir}.`)
      await createDemoProject(projectDir, { modelDir: places.modelDir })
    } else {
      await refuseForeignFolder(projectDir)
      createProject(projectDir, { name: basename(projectDir) }).close()
    }
  }
  const compute = createComputeProcess({
    nodePath: places.nodePath,
    entry: places.computeEntry,
    env: options.computeEnv ?? {},
    stateDir: dataDir,
    log: (line) => log(`compute: ${line}`),
  })
  const open = async (dir: string): Promise<OpenProject> => {
    // It outlives the project: another one is opened with the same.
    const lent = lendCompute(compute)
    try {
      const { version } = places
      const backend = await createBackend({ projectDir: dir, compute: lent, version, shell: options.shell, log })
      return { dir, backend }
    } catch (error) {
      await lent.close()
      throw error
    }
  }
  try {
    const recent = () => readRecentProjects(dataDir).filter(({ dir }) => projectExists(dir))
    const opened = ({ dir, backend }: OpenProject) => rememberProject(dataDir, dir, backend.project)
    const first = await open(projectDir)
    opened(first)
    const backend = createSwitchboard({ first, open, opened, recent, log })
    return {
      get projectDir() {
        return backend.current.dir
      },
      backend,
      async close() {
        // Its calls end with the process, so that no job waits for a slow step.
        await Promise.all([backend.close(), compute.close()])
      },
    }
  } catch (error) {
    await compute.close()
    throw error
  }
}

/** A folder of images that was named by mistake is not filled with a project's files. */
async function refuseForeignFolder(dir: string): Promise<void> {
  const names = await readdir(dir).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOTDIR') return ['a file']
    return []
  })
  if (names.length === 0) return
  throw new CodedError(
    'no-project',
    `"${basename(dir)}" is not a Maskwright project and is not empty; name a project, or a new folder to make one in.`,
  )
}
