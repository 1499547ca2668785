/** Of each group of `group` bytes the bytes at `places`, each a stretch of `width`. */
export async function* picked(
  source: AsyncIterable<Uint8Array>,
  group: number,
  places: readonly number[],
  width: number,
): AsyncGenerator<Uint8Array> {
  if (places.length * width === group) {
    yield* source
    return
  }
  const perGroup = places.length * width
  // Bytes of a group that a chunk cut in two, without those that nobody wants.
  const cut = new Uint8Array(perGroup)
  let position = 0
  for await (const chunk of source) {
    const out = new Uint8Array((Math.ceil(chunk.length / group) + 1) * perGroup)
    out.set(cut)
    let groups = 0
    const first = position
    const last = position + chunk.length
    for (let start = -first; start < chunk.length; start += group, groups++) {
      places.forEach((place, i) => {
        const from = start + place
        const begin = Math.max(0, -from)
        const end = Math.min(width, chunk.length - from)
        for (let byte = begin; byte < end; byte++) {
          out[groups * perGroup + i * width + byte] = chunk[from + byte] ?? 0
        }
      })
    }
    position = last % group
    // `last` counts from the start of the group that the chunk begins in.
    const whole = position === 0 ? groups : groups - 1
    yield out.subarray(0, whole * perGroup)
    cut.set(out.subarray(whole * perGroup, (whole + 1) * perGroup))
  }
}

/** Takes `width` bytes of each source in turn. Ends where the first of them ends. */
export async function* interleaved(
  sources: readonly AsyncIterable<Uint8Array>[],
  width: number,
): AsyncGenerator<Uint8Array> {
  const iterators = sources.map((source) => source[Symbol.asyncIterator]())
  const waiting = sources.map(() => new Uint8Array(0))
  try {
    for (;;) {
      for (const [i, iterator] of iterators.entries()) {
        while ((waiting[i]?.length ?? 0) < width) {
          const next = await iterator.next()
          if (next.done === true) return
          waiting[i] = joined(waiting[i] ?? new Uint8Array(0), next.value)
        }
      }
      const count = Math.floor(Math.min(...waiting.map(({ length }) => length)) / width)
      const out = new Uint8Array(count * width * sources.length)
      waiting.forEach((bytes, i) => {
        for (let n = 0; n < count; n++) {
          out.set(bytes.subarray(n * width, (n + 1) * width), (n * sources.length + i) * width)
        }
        waiting[i] = bytes.slice(count * width)
      })
      yield out
    }
  } finally {
    for (const iterator of iterators) await iterator.return?.()
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}
