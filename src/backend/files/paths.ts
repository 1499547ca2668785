import { readdir, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import type { FileEntry, FileKind } from '../../core/contract/schemas.ts'
import { isSupported } from '../../imaging/index.ts'
import { storageError, systemCode } from '../errors.ts'
import type { FileRegistry } from './registry.ts'

const MAX_COMPLETIONS = 50
const separators = process.platform === 'win32' ? /[\\/]/ : /\//

/** The text of the path field as an absolute path: "~" is the home folder, other relative text starts there too. */
export function pathOfText(text: string): string {
  const home = homedir()
  if (text === '~') return home
  if (text.startsWith('~') && separators.test(text.charAt(1))) return resolve(home, text.slice(2))
  return resolve(home, text)
}

/** By kind, the files that are offered beside folders. */
const wanted: Record<FileKind, (name: string) => boolean> = {
  image: isSupported,
  // Masks are kept in the formats of images, and as COCO or the description of a data set.
  mask: (name) => isSupported(name) || /\.json$/i.test(name),
  network: (name) => /\.onnx$/i.test(name),
  version: (name) => /\.maskwright-model$/i.test(name),
  folder: () => false,
}

/**
 * Folders and files of the kind whose name begins with what was typed last, whatever its case; folders first, both sorted, 50 at most.
 * Hidden names only when a dot was typed. An unreadable or missing folder completes to nothing.
 */
export async function completePath(text: string, kind: FileKind, files: FileRegistry): Promise<FileEntry[]> {
  const isWanted = wanted[kind]
  const typed = text === '' || text === '~' ? `~${sep}` : text
  const cut = lastSeparator(typed) + 1
  const shownFolder = typed.slice(0, cut)
  const prefix = typed.slice(cut).toLowerCase()
  const folder = pathOfText(shownFolder === '' ? '~' : shownFolder)
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const candidates = entries
    .filter(({ name }) => name.toLowerCase().startsWith(prefix) && (prefix.startsWith('.') || !name.startsWith('.')))
    .sort((a, b) => compareNames(a.name, b.name))
  const folders: FileEntry[] = []
  const images: FileEntry[] = []
  for (const entry of candidates) {
    if (folders.length >= MAX_COMPLETIONS) break
    const path = join(folder, entry.name)
    const isFolder = entry.isDirectory() || (entry.isSymbolicLink() && (await isDirectory(path)))
    if (isFolder) folders.push(files.register(path, 'open', `${shownFolder}${entry.name}${sep}`))
    else if (isWanted(entry.name) && images.length < MAX_COMPLETIONS && (entry.isFile() || entry.isSymbolicLink())) {
      images.push(files.register(path, 'open', `${shownFolder}${entry.name}`))
    }
  }
  return [...folders, ...images].slice(0, MAX_COMPLETIONS)
}

/** Names the target of a save. Throws CodedError('bad-request') where its folder does not exist or it is a folder. */
export async function targetOfText(text: string, files: FileRegistry): Promise<FileEntry> {
  const path = pathOfText(text.trim())
  if (separators.test(text.trim().slice(-1)) || (await isDirectory(path))) {
    throw new CodedError('bad-request', `"${basename(path)}" is a folder; add a file name to it.`)
  }
  const folder = dirname(path)
  if (!(await isDirectory(folder))) {
    throw new CodedError('bad-request', `The folder "${folder}" does not exist; choose another one.`)
  }
  return files.register(path, 'save', text.trim())
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    if (systemCode(error) === 'EACCES') throw storageError(error, path, 'read')
    return false
  }
}

function lastSeparator(text: string): number {
  return process.platform === 'win32' ? Math.max(text.lastIndexOf('/'), text.lastIndexOf('\\')) : text.lastIndexOf('/')
}

/** Numbers by value, so that "slice 9" comes before "slice 10". */
const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' })
function compareNames(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0)
}
