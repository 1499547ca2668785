import { basename, extname } from 'node:path'

/** A file's name without its ending; `.nii.gz` is one ending. */
export function stemOf(path: string): string {
  const name = basename(path)
  const double = /\.nii\.gz$/i.exec(name)
  return double === null ? name.slice(0, name.length - extname(name).length) : name.slice(0, double.index)
}
