import { fitted, penOf, textStrokes, textWidth } from './text.ts'

export interface Series {
  readonly name: string
  /** Ascending x. Gaps where a value was not measured are bridged. */
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface Chart {
  readonly title: string
  readonly xLabel: string
  /** Above the numbers of the y axis; without one where the title says what it is. */
  readonly yLabel?: string
  /** Where x counts something, as epochs: there is nothing between two. True unless given. */
  readonly whole?: boolean
  /** Each point is marked: where points are few and what lies between them was not measured. False unless given. */
  readonly dots?: boolean
  readonly series: readonly Series[]
  /** Of the y axis; null: from the values. */
  readonly bounds: readonly [number, number] | null
  /** A vertical line with a word beside it. */
  readonly mark: { readonly x: number; readonly text: string } | null
}

export const CHART_WIDTH = 640
export const CHART_HEIGHT = 320
const PLOT = { left: 56, right: 624, top: 62, bottom: 276 }
const LETTERS = 8.5
/** A series' line in the legend, and what stands between two series. */
const LEGEND_LINE = 32
const LEGEND_GAP = 20
const DOT = 5

/** On light and on dark paper; each at least 3:1. Told apart by their dashes as well. */
const INKS = [
  ['#0b6aa2', '#5bb8f0'],
  ['#c2410c', '#f79a66'],
  ['#047857', '#4fd0a0'],
  ['#a23b86', '#ea9bd0'],
  ['#8a6100', '#e8bd4a'],
  ['#4b4fc4', '#a5a8ff'],
] as const
const DASHES = ['', '7 4', '2 4', '10 3 2 3', '4 2', '1 2'] as const

/**
 * Colours of charts as CSS custom properties, for a page that lays them out itself: `light` and `dark` are declarations.
 */
export const chartColours = {
  light: `--chart-ink:#2b2b2b;--chart-quiet:#6b6b6b;--chart-grid:#dedede;--chart-paper:#ffffff;${inks(0)}`,
  dark: `--chart-ink:#e4e4e4;--chart-quiet:#9a9a9a;--chart-grid:#343434;--chart-paper:#161616;${inks(1)}`,
  rules:
    '.cp{fill:var(--chart-paper)}.ci{stroke:var(--chart-ink)}.cq{stroke:var(--chart-quiet)}.cg{stroke:var(--chart-grid)}' +
    INKS.map((_, at) => `.c${at}{stroke:var(--chart-${at})}`).join(''),
} as const

function inks(theme: 0 | 1): string {
  return INKS.map((ink, at) => `--chart-${at}:${ink[theme]};`).join('')
}

/**
 * Lines over epochs as an SVG of 640 x 320. Letters are paths: it looks the same where no font is installed. Alone it is light
 * or dark as the viewer prefers; `themed` false leaves that to the page that it is put into.
 */
export function chartSvg(chart: Chart, themed: boolean): string {
  const [low, high] = chart.bounds ?? spanOf(chart.series.flatMap(({ points }) => points.map(([, y]) => y)))
  const xs = chart.series.flatMap(({ points }) => points.map(([x]) => x))
  const first = xs.length === 0 ? 0 : Math.min(...xs)
  const last = xs.length === 0 ? 1 : Math.max(...xs)
  const x = (value: number): number =>
    last === first
      ? (PLOT.left + PLOT.right) / 2
      : PLOT.left + ((value - first) / (last - first)) * (PLOT.right - PLOT.left)
  const y = (value: number): number => PLOT.bottom - ((value - low) / (high - low)) * (PLOT.bottom - PLOT.top)
  const parts: string[] = []
  for (const tick of ticks(low, high, 5)) {
    parts.push(line('cg', '#dedede', [PLOT.left, y(tick), PLOT.right, y(tick)]))
    const text = tickText(tick, high - low)
    parts.push(letters(text, PLOT.left - 8 - textWidth(text, LETTERS), y(tick) + LETTERS / 2, 'cq', '#6b6b6b'))
  }
  for (const tick of ticks(first, last, 10).filter((value) => chart.whole === false || Number.isInteger(value))) {
    parts.push(line('cq', '#6b6b6b', [x(tick), PLOT.bottom, x(tick), PLOT.bottom + 4]))
    const text = String(tick)
    parts.push(letters(text, x(tick) - textWidth(text, LETTERS) / 2, PLOT.bottom + 18, 'cq', '#6b6b6b'))
  }
  parts.push(line('cq', '#6b6b6b', [PLOT.left, PLOT.bottom, PLOT.right, PLOT.bottom]))
  const middle = (PLOT.left + PLOT.right - textWidth(chart.xLabel, LETTERS)) / 2
  parts.push(letters(chart.xLabel, middle, CHART_HEIGHT - 8, 'cq', '#6b6b6b'))
  parts.push(letters(chart.title, PLOT.left, 22, 'ci', '#2b2b2b', 11))
  if (chart.yLabel !== undefined) parts.push(letters(chart.yLabel, 8, PLOT.top - 6, 'cq', '#6b6b6b'))
  if (chart.mark !== null) {
    const at = x(chart.mark.x)
    const width = textWidth(chart.mark.text, LETTERS)
    parts.push(line('cq', '#6b6b6b', [at, PLOT.top, at, PLOT.bottom], '3 3'))
    const left = at + 4 + width > PLOT.right ? at - 4 - width : at + 4
    parts.push(letters(chart.mark.text, left, PLOT.bottom - 6, 'cq', '#6b6b6b'))
  }
  let legend = PLOT.left
  const names = legendNames(chart.series)
  chart.series.forEach(({ points }, at) => {
    const name = names[at] ?? ''
    const ink = at % INKS.length
    const light = INKS[ink]?.[0] ?? '#000000'
    const flat = points.flatMap(([px, py]) => [x(px), y(Math.min(high, Math.max(low, py)))])
    // A single epoch is a point, which a line would not show.
    const shape = flat.length === 2 ? [...flat, (flat[0] ?? 0) + 0.01, flat[1] ?? 0] : flat
    parts.push(
      line(`c${ink}`, light, shape, flat.length === 2 ? '' : (DASHES[ink] ?? ''), flat.length === 2 ? DOT : 1.8),
    )
    if (chart.dots === true && flat.length > 2) parts.push(dots(`c${ink}`, light, flat))
    parts.push(line(`c${ink}`, light, [legend, 40, legend + 26, 40], DASHES[ink] ?? '', 1.8))
    parts.push(letters(name, legend + LEGEND_LINE, 44, 'ci', '#2b2b2b'))
    legend += LEGEND_LINE + textWidth(name, LETTERS) + LEGEND_GAP
  })
  const style = themed
    ? `<style>@media (prefers-color-scheme:dark){svg{${chartColours.dark}}${chartColours.rules}}</style>`
    : ''
  const spoken = chart.series.map(({ name }) => name).join(', ')
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${CHART_WIDTH} ${CHART_HEIGHT}" width="${CHART_WIDTH}" height="${CHART_HEIGHT}" role="img" aria-label="${escaped(`${chart.title}: ${spoken}`)}">` +
    `${style}<rect class="cp" fill="#ffffff" width="${CHART_WIDTH}" height="${CHART_HEIGHT}"/>` +
    `<g fill="none" stroke-linecap="round" stroke-linejoin="round">${parts.join('')}</g></svg>`
  )
}

/** Cut off where they would not all have room in one row. */
function legendNames(series: readonly Series[]): string[] {
  const names = series.map(({ name }) => name)
  const beside = LEGEND_LINE + LEGEND_GAP
  const taken = names.reduce((sum, name) => sum + beside + textWidth(name, LETTERS), -LEGEND_GAP)
  const room = PLOT.right - PLOT.left
  const each = (room + LEGEND_GAP) / Math.max(1, names.length) - beside
  return taken <= room ? names : names.map((name) => fitted(name, LETTERS, each))
}

function line(name: string, colour: string, points: readonly number[], dash = '', width = 1): string {
  const dashes = dash === '' ? '' : ` stroke-dasharray="${dash}"`
  return `<path class="${name}" stroke="${colour}" stroke-width="${width}"${dashes} d="${path(points)}"/>`
}

/** Lines of hardly any length, whose round ends are dots. */
function dots(name: string, colour: string, points: readonly number[]): string {
  let d = ''
  for (let i = 0; i + 1 < points.length; i += 2) {
    const [x, y] = [points[i] ?? 0, points[i + 1] ?? 0]
    d += path([x, y, x + 0.01, y])
  }
  return `<path class="${name}" stroke="${colour}" stroke-width="${DOT}" d="${d}"/>`
}

function letters(text: string, x: number, y: number, name: string, colour: string, height = LETTERS): string {
  const d = textStrokes(text, x, y, height).map(path).join('')
  return `<path class="${name}" stroke="${colour}" stroke-width="${rounded(penOf(height))}" d="${d}"/>`
}

function path(points: readonly number[]): string {
  let d = ''
  for (let i = 0; i + 1 < points.length; i += 2) {
    d += `${i === 0 ? 'M' : 'L'}${rounded(points[i] ?? 0)} ${rounded(points[i + 1] ?? 0)}`
  }
  return d
}

function rounded(value: number): string {
  return String(Math.round(value * 100) / 100)
}

/** The values' range, widened to whole ticks; it has an extent even where they are all the same. */
function spanOf(values: readonly number[]): [number, number] {
  const finite = values.filter(Number.isFinite)
  if (finite.length === 0) return [0, 1]
  const low = Math.min(...finite)
  const high = Math.max(...finite)
  const step = tickStep(low, high === low ? low + Math.max(Math.abs(low) * 0.1, 1e-3) : high, 5)
  const from = Math.floor(low / step) * step
  const to = Math.ceil(high / step) * step
  return [from, to === from ? from + step : to]
}

function ticks(low: number, high: number, count: number): number[] {
  const step = tickStep(low, high, count)
  const from = Math.ceil(low / step - 1e-9)
  const to = Math.floor(high / step + 1e-9)
  return Array.from({ length: Math.max(0, to - from) + 1 }, (_, at) => Number(((from + at) * step).toPrecision(12)))
}

/** 1, 2 or 5 times a power of ten, so that there are about `count` ticks. */
function tickStep(low: number, high: number, count: number): number {
  const rough = (high - low) / count
  if (rough <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(rough))
  const factor = [1, 2, 5, 10].find((each) => each * power >= rough) ?? 10
  return factor * power
}

function tickText(value: number, span: number): string {
  const digits = Math.max(0, Math.min(6, 1 - Math.floor(Math.log10(span))))
  return value.toFixed(digits)
}

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
