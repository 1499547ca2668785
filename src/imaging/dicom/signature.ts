/** Do these first bytes of a file look like DICOM: with its mark at 128, or bare as old programs wrote it? */
export function looksLikeDicom(bytes: Uint8Array): boolean {
  if (hasMark(bytes)) return true
  if (bytes.length < 16) return false
  const [group0, group1, element0, element1] = bytes
  const known = group1 === 0 && element1 === 0 && element0 !== undefined
  // File meta information, or the first elements of the identifying group.
  if (!known || !((group0 === 2 && element0 <= 2) || (group0 === 8 && [0, 1, 5, 8, 0x12, 0x16].includes(element0)))) {
    return false
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true)
  return isVr(bytes, 4) || length <= 64
}

/** The mark after the preamble. */
export function hasMark(bytes: Uint8Array): boolean {
  return bytes.length >= 132 && Buffer.from(bytes.subarray(128, 132)).toString('latin1') === 'DICM'
}

/** Two capital letters: the VR of an element in explicit form. */
export function isVr(bytes: Uint8Array, at: number): boolean {
  return [bytes[at], bytes[at + 1]].every((letter) => letter !== undefined && letter >= 0x41 && letter <= 0x5a)
}
