/** The part of lerc 3 that is used; the package has no types of its own. */
declare module 'lerc' {
  const lerc: {
    /** Throws texts. `pixels` has an array for each band, which can be a view of `input`. */
    decode(
      input: ArrayBuffer,
      options: { returnPixelInterleavedDims: boolean },
    ): { pixels: readonly ArrayBufferView<ArrayBuffer>[] }
  }
  export default lerc
}
