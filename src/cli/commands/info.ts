import { readImageInfo, type ImageInfo } from '../../imaging/index.ts'
import { Output, type CommonOptions } from '../output.ts'
import { selectionOf } from '../selection.ts'

export interface InfoOptions extends CommonOptions {
  readonly series?: string
}

/** `maskwright info FILE` */
export async function info(file: string, options: InfoOptions): Promise<void> {
  const output = new Output(options)
  const found = await readImageInfo(file, { selection: selectionOf(options) })
  output.data(found)
  for (const [name, value] of describe(found)) output.text(`${name.padEnd(12)} ${value}`)
  for (const warning of found.warnings) output.text(`warning      ${warning}`)
}

function describe(found: ImageInfo): [string, string][] {
  const lines: [string, string][] = [
    ['format', `${found.format}${found.compressed ? ', compressed' : ''}, ${found.byteOrder}-endian`],
    ['dims', found.dims.join(' x ')],
    [
      'spacing',
      found.spacingKnown ? `${found.spacing.map(shortNumber).join(' x ')} ${found.unit ?? 'mm'}` : 'not given',
    ],
    ['datatype', `${found.datatype}, ${found.channels === 1 ? '1 channel' : `${found.channels} channels`}`],
    ['scaling', `scaled = raw * ${shortNumber(found.slope)} + ${shortNumber(found.inter)}`],
    ['orientation', found.orientation ?? 'not given'],
  ]
  if (found.affine !== null) {
    const rows = found.affine.map((row) => row.map((value) => shortNumber(value).padStart(14)).join(' '))
    lines.push(...rows.map((row, at): [string, string] => [at === 0 ? 'affine' : '', row]))
    lines.push(['', `from ${found.affineSource}`])
  }
  if (found.frames > 1) lines.push(['frames', String(found.frames)])
  if (found.levels > 1) lines.push(['levels', String(found.levels)])
  return lines
}

function shortNumber(value: number): string {
  return String(Number(value.toPrecision(7)))
}
