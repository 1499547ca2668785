import { imageCuts, labelCut, labelledBySlice } from './cuts.ts'
import { copyOf, newCanvas } from './drawing/canvas.ts'
import { coloursOf, drawContour, fillLabels, objectColours, oneColour } from './drawing/labels.ts'
import { scaled, scaledLabels, shownSize } from './drawing/scale.ts'
import { sheetOf } from './drawing/sheet.ts'
import { OVERLAY, PREDICTED, TRUE, TRUTH_COLOUR } from './drawing/styles.ts'
import type { PlaneView } from '../../core/geometry/index.ts'
import type { ImageCuts } from './cuts.ts'
import type { Canvas } from './drawing/canvas.ts'
import type { Colours } from './drawing/labels.ts'
import type { ReportFigure } from '../../core/contract/report.ts'
import type { ScoredCase } from './types.ts'

export interface CaseFigure {
  readonly kind: Extract<ReportFigure['kind'], 'panels' | 'cuts' | 'planes'>
  readonly canvas: Canvas
  readonly caption: string
}

/** Longer side of a panel, of a cut in a sheet, and of one of three planes, in pixels. */
const PANEL = 384
const CUT = 210
const PLANE = 300
/** Cuts in a sheet, and next to each other. */
const MOST_CUTS = 60
const CUTS_ACROSS = 6

type Pictured = Omit<ScoredCase, 'scores' | 'part'>

/** Draws a case: its panels; of a volume also contours over each cut, and the three planes through what was to be found. */
export async function caseFigures(scored: Pictured, values: readonly number[]): Promise<CaseFigure[]> {
  const cuts = await imageCuts(scored.image)
  const { only } = scored
  const view = cuts.views.find(({ sliceAxis }) => only === undefined || sliceAxis === only.axis)
  if (view === undefined) return []
  const scene = { scored, cuts, colours: coloursOf(values) }
  const shown = only?.indices ?? Array.from({ length: view.slices }, (_, index) => index)
  const found = [scored.truth, scored.prediction].map((labels) => {
    const counts = labelledBySlice(labels, cuts.dims, view.sliceAxis)
    return new Map(shown.map((index) => [index, counts[index] ?? 0]))
  })
  const figures = [await panels(scene, view, fullest(found) ?? shown[shown.length >> 1] ?? 0)]
  if (view.slices > 1) figures.push(await cutSheet(scene, view, found))
  if (cuts.views.length > 1 && only === undefined) figures.push(await planes(scene))
  return figures
}

interface Scene {
  readonly scored: Pictured
  readonly cuts: ImageCuts
  readonly colours: Colours
}

/** Labelled pixels of each slice. */
type Found = ReadonlyMap<number, number>

/** The slice with most of the truth; where there is none, with most of the prediction; null where there is neither. */
function fullest(found: readonly Found[]): number | null {
  for (const counts of found) {
    const most = Math.max(0, ...counts.values())
    if (most > 0) return [...counts].find(([, count]) => count === most)?.[0] ?? null
  }
  return null
}

/** One cut at the size that it is shown in, and what lies in it. */
interface Cut {
  readonly picture: Canvas
  readonly truth: Uint8Array
  readonly prediction: Uint8Array
  /** What contours are drawn around: objects where there are some. */
  readonly truthOutlines: Uint8Array | Uint32Array
  readonly predictedOutlines: Uint8Array | Uint32Array
  /** Pixels; thin where pixels of the image are small, or it would cover what it shows. */
  readonly thickness: number
}

async function cutOf({ scored, cuts }: Scene, view: PlaneView, index: number, most: number): Promise<Cut> {
  const size = shownSize(view, most, { width: view.columnSpacing, height: view.rowSpacing })
  const take = <Labels extends Uint8Array | Uint32Array>(labels: Labels): Labels =>
    scaledLabels(labelCut(labels, cuts.dims, view, index), view, size)
  const [truth, prediction] = [take(scored.truth), take(scored.prediction)]
  return {
    picture: scaled(await cuts.picture(view, index), size),
    truth,
    prediction,
    truthOutlines: scored.truthObjects ? take(scored.truthObjects) : truth,
    thickness: size.width >= 2 * view.width ? PREDICTED.thickness : 1,
    predictedOutlines: scored.predictedObjects ? take(scored.predictedObjects) : prediction,
  }
}

async function panels(scene: Scene, view: PlaneView, index: number): Promise<CaseFigure> {
  const { scored, colours } = scene
  const cut = await cutOf(scene, view, index, PANEL)
  const objects = Boolean(scored.truthObjects ?? scored.predictedObjects)
  const alone = (labels: Uint8Array | Uint32Array): Canvas => {
    const canvas = newCanvas(cut.picture.width, cut.picture.height)
    fillLabels(canvas, labels, objects ? objectColours() : colours, 1)
    return canvas
  }
  const over = (labels: Uint8Array): Canvas => {
    const canvas = copyOf(cut.picture)
    fillLabels(canvas, labels, colours, OVERLAY)
    // Mixed with the colours of a stain a colour is hard to tell.
    drawContour(canvas, labels, colours, { thickness: 1, dash: 0, halo: false })
    return canvas
  }
  const tiles = [
    { picture: cut.picture, title: 'Image' },
    { picture: alone(cut.truthOutlines), title: 'Truth' },
    { picture: alone(cut.predictedOutlines), title: 'Prediction' },
    { picture: over(cut.truth), title: 'Truth over image' },
    { picture: over(cut.prediction), title: 'Prediction over image' },
    { picture: contoured(cut, colours), title: 'Contours: predicted solid, true dashed' },
  ]
  const where = view.slices === 1 ? '' : ` Slice ${index + 1} of ${view.slices}, the one with most to be found.`
  return {
    kind: 'panels',
    canvas: sheetOf(tiles, 3),
    caption: `Image, truth and prediction; both over the image; contours of the prediction (solid) and of the truth (dashed).${where}`,
  }
}

/** The picture with the broken contour of the truth, and over it that of the prediction: where they agree, it is seen alone. */
function contoured(cut: Cut, colours: Colours): Canvas {
  const canvas = copyOf(cut.picture)
  const objects = cut.predictedOutlines instanceof Uint32Array
  drawContour(canvas, cut.truthOutlines, oneColour(TRUTH_COLOUR), TRUE)
  const style = { ...PREDICTED, thickness: cut.thickness }
  drawContour(canvas, cut.predictedOutlines, objects ? firstColour(colours, cut.prediction) : colours, style)
  return canvas
}

/** Objects are of one label: of the one that is there. */
function firstColour(colours: Colours, labels: Uint8Array): Colours {
  const colour = colours(labels.find((value) => value !== 0) ?? 0)
  return colour === null ? colours : oneColour(colour)
}

async function cutSheet(scene: Scene, view: PlaneView, found: readonly Found[]): Promise<CaseFigure> {
  const indices = [...(found[0]?.keys() ?? [])]
  const some = indices.filter((index) => found.some((counts) => (counts.get(index) ?? 0) > 0))
  const wanted = some.length > 0 ? some : indices
  const step = Math.ceil(wanted.length / MOST_CUTS)
  const shown = wanted.filter((_, at) => at % step === 0)
  const tiles = []
  for (const index of shown) {
    const cut = await cutOf(scene, view, index, CUT)
    tiles.push({ picture: contoured(cut, scene.colours), title: String(index + 1) })
  }
  const which = step === 1 ? 'each cut' : `every ${step}${step === 2 ? 'nd' : step === 3 ? 'rd' : 'th'} cut`
  return {
    kind: 'cuts',
    canvas: sheetOf(tiles, CUTS_ACROSS),
    caption: `Contours over ${which} with anything true or predicted, ${shown.length} of ${indices.length}: predicted solid, true dashed.`,
  }
}

async function planes(scene: Scene): Promise<CaseFigure> {
  const { scored, cuts } = scene
  const tiles = []
  for (const view of cuts.views) {
    const found = [scored.truth, scored.prediction].map(
      (labels) => new Map(labelledBySlice(labels, cuts.dims, view.sliceAxis).entries()),
    )
    const index = fullest(found) ?? view.slices >> 1
    const cut = await cutOf(scene, view, index, PLANE)
    const canvas = contoured(cut, scene.colours)
    const name = view.plane.charAt(0).toUpperCase() + view.plane.slice(1)
    tiles.push({ picture: canvas, title: `${name} ${index + 1}/${view.slices}` })
  }
  return {
    kind: 'planes',
    canvas: sheetOf(tiles, tiles.length),
    caption: 'The stacked prediction (solid) and the truth (dashed) in three planes, each where most is to be found.',
  }
}
