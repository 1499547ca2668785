import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import { storageError, systemCode } from '../errors.ts'
import { createProject, projectExists, type CreateProjectOptions, type Project } from './project.ts'

/**
 * Makes a project in `dir` that appears under its name only when `fill` has filled it; until then it lies beside it.
 * Throws CodedError('conflict') where `dir` holds something already, what `fill` throws, and what the disk says.
 */
export async function makeProject(
  dir: string,
  options: CreateProjectOptions,
  fill: (project: Project) => Promise<void>,
): Promise<void> {
  const target = resolve(dir)
  const making = join(dirname(target), `.${basename(target)}.making-${process.pid}`)
  try {
    await mkdir(dirname(target), { recursive: true })
    await makeRoom(target)
    await removeLeftOvers(dirname(target), `.${basename(target)}.making-`)
    const project = createProject(making, options)
    try {
      await fill(project)
    } finally {
      project.close()
    }
    await rename(making, target)
  } catch (error) {
    await rm(making, { recursive: true, force: true })
    throw storageError(error, target)
  }
}

/** An empty folder may become the project; anything else stays as it is. */
async function makeRoom(target: string): Promise<void> {
  if (projectExists(target)) {
    throw new CodedError('conflict', `"${basename(target)}" already holds a project; open it instead.`)
  }
  try {
    await rmdir(target)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return
    if (systemCode(error) !== 'ENOTEMPTY' && systemCode(error) !== 'EEXIST') throw error
    throw new CodedError('conflict', `"${basename(target)}" is not empty; choose another folder for the project.`)
  }
}

/** What a process that was killed while it made a demo left beside the target. */
async function removeLeftOvers(folder: string, prefix: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix) || isAlive(Number(name.slice(prefix.length)))) continue
    await rm(join(folder, name), { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  if (pid === process.pid || !Number.isInteger(pid)) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return systemCode(error) === 'EPERM'
  }
}
