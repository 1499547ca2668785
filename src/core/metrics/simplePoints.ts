/**
 * Simple points of a picture: pixels that can change sides without changing how many objects and holes there are. Objects
 * are connected by edges (4), what lies between them also at corners (8). Whether a pixel is simple hangs on its eight
 * neighbours alone (A. Rosenfeld 1979; G. Bertrand 1994): it is where exactly one part of the objects and one part of the rest
 * lie around it.
 *
 * Neighbourhoods are bits, set inside objects: clockwise from the pixel above (bit 0), edges on even bits, corners on odd ones.
 */

/** Parts around a pixel, by its neighbourhood. */
interface Parts {
  /** Of objects, connected by edges among the neighbours and beside the pixel by an edge. */
  readonly inside: number
  /** Of what is no object, connected also at corners. */
  readonly outside: number
}

const parts: readonly Parts[] = Array.from({ length: 256 }, (_, bits) => countParts(bits))

export function partsAround(neighbourhood: number): Parts {
  return parts[neighbourhood] ?? { inside: 0, outside: 0 }
}

export function isSimple(neighbourhood: number): boolean {
  const { inside, outside } = partsAround(neighbourhood)
  return inside === 1 && outside === 1
}

function countParts(bits: number): Parts {
  const inside = (at: number): boolean => ((bits >> (at & 7)) & 1) === 1
  // Round the pixel, neighbours follow each other by edges; those that touch only at corners are two edge neighbours
  // apart, with a corner between them.
  let insideParts = 0
  let outsideParts = 0
  for (const edge of [0, 2, 4, 6]) {
    if (inside(edge)) {
      // A part ends where the corner or the next edge neighbour is missing.
      if (!(inside(edge + 1) && inside(edge + 2))) insideParts++
    } else if (inside(edge + 2)) {
      // Two edge neighbours touch at a corner whatever lies there, so a part goes on until the next edge neighbour is inside.
      outsideParts++
    }
  }
  if (insideParts === 0 && bits === 255) insideParts = 1
  if ([0, 2, 4, 6].every((edge) => !inside(edge))) outsideParts = 1
  // Corners outside between two edges inside are parts of their own.
  for (const corner of [1, 3, 5, 7]) if (!inside(corner) && inside(corner - 1) && inside(corner + 1)) outsideParts++
  return { inside: insideParts, outside: outsideParts }
}
