/** A version as the drawing of descent sees it. */
interface Descendant {
  readonly id: string
  readonly parentId: string | null
}

/** What is drawn in one row of the list: lanes are counted from 0, the leftmost. */
export interface LineageRow {
  readonly id: string
  /** Where its dot lies. */
  readonly lane: number
  /** Lanes whose lines pass through the row beside the dot. */
  readonly passing: readonly number[]
  /** Lanes whose lines come from above and end at the dot: of its children. */
  readonly joining: readonly number[]
  /** A line goes on below, to what it goes on from. */
  readonly down: boolean
}

/**
 * Lanes for a list that is the newest first: every parent stands below its children. The line of descent of `mainId`, the version
 * in use, keeps lane 0. A parent that is not in the list ends its line.
 */
export function lineageRows(newestFirst: readonly Descendant[], mainId: string | null): LineageRow[] {
  const ids = new Set(newestFirst.map(({ id }) => id))
  /** By lane: whom its line leads down to; null: the lane is free. */
  const lanes: (string | null)[] = []
  /** Lane 0 is kept free for the line in use until that begins. */
  const main = mainId !== null && ids.has(mainId) ? mainId : null
  let begun = main === null
  return newestFirst.map(({ id, parentId }) => {
    const joining = lanes.flatMap((wanted, lane) => (wanted === id ? [lane] : []))
    const first = begun ? 0 : 1
    let lane = joining[0] ?? first
    if (id === main) {
      begun = true
      lane = 0
    } else if (joining.length === 0) {
      while (lanes[lane] !== undefined && lanes[lane] !== null) lane += 1
    }
    for (const one of joining) lanes[one] = null
    while (lanes.length < lane) lanes.push(null)
    const passing = lanes.flatMap((wanted, at) => (wanted !== null && at !== lane ? [at] : []))
    const down = parentId !== null && ids.has(parentId)
    lanes[lane] = down ? parentId : null
    return { id, lane, passing, joining, down }
  })
}

/** How many lanes the drawing needs. */
export function lanesOf(rows: readonly LineageRow[]): number {
  return Math.max(0, ...rows.flatMap(({ lane, passing, joining }) => [lane, ...passing, ...joining])) + 1
}

const laneWidth = 12
const edge = 8
/** So many lanes have their full width; more than that share it, since the name needs its place. */
const fullLanes = 8

/** Pixels from the left to the middle of a lane. */
export function laneX(lane: number, lanes: number): number {
  const between = Math.max(1, lanes - 1)
  return edge + lane * Math.min(laneWidth, ((fullLanes - 1) * laneWidth) / between)
}

/** Pixels that the drawing of so many lanes takes. */
export function lineageWidth(lanes: number): number {
  return laneX(lanes - 1, lanes) + edge
}
