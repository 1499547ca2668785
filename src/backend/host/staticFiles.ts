import { realpath, stat } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'

/** The only kinds of file that a built page consists of; anything else is not served. */
const mimeTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
}

export interface StaticFile {
  readonly path: string
  readonly mimeType: string
  readonly size: number
}

/**
 * The file of a built page that a URL's path names; `/` is `index.html`. Null for what does not exist, lies outside the
 * folder (also through a symbolic link), is not a plain file, or is of a kind that a page does not consist of.
 *
 * @param pathname As in `new URL(…).pathname`: still percent-encoded.
 */
export async function findStaticFile(folder: string, pathname: string): Promise<StaticFile | null> {
  const parts = decode(pathname)
  if (parts === null) return null
  const mimeType = mimeTypes[extname(parts.at(-1) ?? '').toLowerCase()]
  if (mimeType === undefined) return null
  try {
    const root = await realpath(folder)
    const path = await realpath(join(root, ...parts))
    const info = await stat(path)
    return path.startsWith(root + sep) && info.isFile() ? { path, mimeType, size: info.size } : null
  } catch {
    return null
  }
}

/** Path segments; null for anything that could mean another folder on some platform. */
function decode(pathname: string): string[] | null {
  let text: string
  try {
    text = decodeURIComponent(pathname)
  } catch {
    return null
  }
  if (!text.startsWith('/')) return null
  if (text === '/') return ['index.html']
  const parts = text.slice(1).split('/')
  // Drive letters and alternate streams have a colon, Windows separators a backslash.
  const bad = parts.some((part) => part === '' || part.startsWith('.') || /[\\:\0]/.test(part))
  return bad ? null : parts
}
