/** Do these first bytes of a file look like DICOM: with its mark at 128, or bare as old programs wrote it? */
export function looksLikeDicom(bytes: Uint8Array): boolean {
  if (hasMark(bytes)) return true
  if (bytes.length < 16) return false
  const [group0 = 0, group1, element0 = 0, element1] = bytes
  // File meta information, or the identifying group.
  if (group1 !== 0 || element1 !== 0 || !((group0 === 2 && element0 <= 2) || (group0 === 8 && element0 <= 0x70)))
    return false
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true)
  return isVr(bytes, 4) || (length <= 64 && length % 2 === 0)
}

/** The mark after the preamble. */
export function hasMark(bytes: Uint8Array): boolean {
  return bytes.length >= 132 && Buffer.from(bytes.subarray(128, 132)).toString('latin1') === 'DICM'
}

/** Two capital letters: the VR of an element in explicit form. */
export function isVr(bytes: Uint8Array, at: number): boolean {
  return [bytes[at], bytes[at + 1]].every((letter) => letter !== undefined && letter >= 0x41 && letter <= 0x5a)
}
