/** How pixels are packed in a transfer syntax. */
export type Packing = 'plain' | 'rle' | 'jpeg' | 'jpeg-ls' | 'jpeg-2000'

const PREFIX = '1.2.840.10008.1.2'
export const DEFLATED = `${PREFIX}.1.99`

const PACKINGS = new Map<string, Packing>([
  ['', 'plain'],
  [PREFIX, 'plain'],
  [`${PREFIX}.1`, 'plain'],
  [`${PREFIX}.2`, 'plain'],
  [DEFLATED, 'plain'],
  [`${PREFIX}.5`, 'rle'],
  [`${PREFIX}.4.80`, 'jpeg-ls'],
  [`${PREFIX}.4.81`, 'jpeg-ls'],
  [`${PREFIX}.4.90`, 'jpeg-2000'],
  [`${PREFIX}.4.91`, 'jpeg-2000'],
  // High throughput JPEG 2000 (lossless, lossless with RPCL, lossy).
  [`${PREFIX}.4.201`, 'jpeg-2000'],
  [`${PREFIX}.4.202`, 'jpeg-2000'],
  [`${PREFIX}.4.203`, 'jpeg-2000'],
])

/** Null for a transfer syntax that cannot be read. */
export function packingOf(transferSyntax: string): Packing | null {
  const found = PACKINGS.get(transferSyntax)
  if (found !== undefined) return found
  // JPEG processes 1 to 29: baseline, extended, progressive, lossless.
  const process = /^1\.2\.840\.10008\.1\.2\.4\.(\d\d)$/.exec(transferSyntax)?.[1]
  return process !== undefined && Number(process) >= 50 && Number(process) <= 70 ? 'jpeg' : null
}

/** What an unreadable transfer syntax is, for a sentence about it. */
export function describeSyntax(transferSyntax: string): string {
  if (/^1\.2\.840\.10008\.1\.2\.4\.10\d/.test(transferSyntax)) return 'an MPEG video'
  if (/^1\.2\.840\.10008\.1\.2\.4\.11[0-2]$/.test(transferSyntax)) return 'compressed as JPEG XL'
  return `compressed in a way that is not known here (${/^[\d.]{1,64}$/.test(transferSyntax) ? transferSyntax : 'unnamed'})`
}
