import { existsSync } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import type { Cases } from '../project/cases.ts'
import type { Project } from '../project/project.ts'

/**
 * Throws CodedError('bad-request') where something would be written over an image of the project, by whatever name or link, or among
 * what the project itself keeps, or a file over a folder.
 */
export async function refuseOurOwn(
  { project, cases }: { readonly project: Project; readonly cases: Cases },
  path: string,
  kind: 'file' | 'folder',
): Promise<void> {
  const existing = await stat(path, { bigint: true }).catch(() => null)
  if (kind === 'file' && existing?.isDirectory()) {
    throw new CodedError('bad-request', `"${basename(path)}" is a folder; add a file name to it.`)
  }
  const [top] = relative(await realPath(project.dir), await realPath(path)).split(/[\\/]/)
  if (top === '' || ours.has(top ?? '')) {
    const words = top === '' ? 'this folder' : `"${top}"`
    throw new CodedError('bad-request', `The project keeps its own files in ${words}; save the mask in another folder.`)
  }
  if (existing === null) return
  for (const stored of cases.everyPath()) {
    const image = project.resolvedPath(stored)
    if (!existsSync(image)) continue
    const { dev, ino } = await stat(image, { bigint: true })
    if (dev === existing.dev && ino === existing.ino) {
      throw new CodedError('bad-request', `"${basename(path)}" is an image of this project; choose another name.`)
    }
  }
}

/** Folders of a project beside exports/. */
const ours: ReadonlySet<string> = new Set(['masks', 'models', 'images', 'trainings'])

/** Without links, as far as the path exists. */
async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch {
    const folder = dirname(path)
    return folder === path ? path : join(await realPath(folder), basename(path))
  }
}
