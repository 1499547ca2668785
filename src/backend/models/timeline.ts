import { join } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import type { TimelinePoint } from '../../core/contract/learning.ts'
import { writeAtomically } from '../../imaging/index.ts'
import type { ComputeParams, ComputePort } from '../compute/port.ts'
import { refuseOurOwn } from '../export/targets.ts'
import { int, realOrNull, text, textOrNull } from '../project/rows.ts'
import type { Project } from '../project/project.ts'
import type { LineageParts } from './lineage.ts'

export interface TimelineParts extends LineageParts {
  readonly project: Project
  readonly compute: ComputePort
}

type Chart = ComputeParams<'chart'>
type Series = Chart['series'][number]

/** All versions on the curves, the oldest first; pruned ones too. */
export function timelineOf({ db, models, judgements }: LineageParts): TimelinePoint[] {
  const rows = db.all(
    `SELECT id, used_at, correction_before, correction_after,
       (SELECT COUNT(*) FROM learned l WHERE l.model_id = m.id) AS slices FROM models m`,
  )
  const known = new Map(rows.map((row) => [text(row, 'id'), row]))
  const total = new Map<string, number>()
  // A parent is older than its children.
  return models.list().flatMap((summary): TimelinePoint[] => {
    const { id: modelId, version, createdAt, judged, parentId, training } = summary
    const row = known.get(modelId)
    if (row === undefined) return []
    const trainingSeconds = (training?.seconds ?? 0) + (total.get(parentId ?? '') ?? 0)
    total.set(modelId, trainingSeconds)
    const point = {
      ...{ modelId, version, createdAt, trainingSeconds },
      verdict: judged?.verdict ?? null,
      used: textOrNull(row, 'used_at') !== null,
      correctedSlices: int(row, 'slices'),
      loss: training?.lossAfter ?? null,
      ...(judgements.score(modelId) ?? { holdoutDice: null, holdoutId: null }),
      correctionDiceBefore: realOrNull(row, 'correction_before'),
      correctionDiceAfter: realOrNull(row, 'correction_after'),
    }
    return [point]
  })
}

/**
 * Writes the curves as a table or as pictures; `target` null: a name of its own in the project's exports/. Throws CodedError as
 * compute and the disk do, and `bad-request` where the name is that of something else.
 */
export async function saveTimeline(
  parts: TimelineParts,
  format: 'csv' | 'svg',
  target: string | null,
  signal: AbortSignal,
): Promise<{ path: string; bytes: number }> {
  const wanted = target ?? join(parts.project.folders.exports, `model-versions.${format}`)
  const path = wanted.toLowerCase().endsWith(`.${format}`) ? wanted : `${wanted}.${format}`
  await refuseOurOwn(parts, path, 'file')
  const points = timelineOf(parts)
  const text = format === 'csv' ? timelineCsv(points) : await timelineSvg(parts.compute, points, signal)
  return { path, bytes: await writeAtomically(path, [new TextEncoder().encode(text)]) }
}

/** `used`: it was in use at some time, whichever version is now. */
const COLUMNS = {
  version: (point) => point.version,
  id: (point) => point.modelId,
  created: (point) => point.createdAt,
  verdict: (point) => point.verdict,
  used: (point) => (point.used ? 'yes' : 'no'),
  corrected_slices: (point) => point.correctedSlices,
  training_seconds: (point) => point.trainingSeconds,
  loss: (point) => point.loss,
  holdout_dice: (point) => point.holdoutDice,
  holdout: (point) => point.holdoutId,
  correction_dice_before: (point) => point.correctionDiceBefore,
  correction_dice_after: (point) => point.correctionDiceAfter,
} as const satisfies Record<string, (point: TimelinePoint) => string | number | null>

/** As RFC 4180 has it; what is not known is empty. Nothing in it was typed by anybody, so nothing needs quotes. */
export function timelineCsv(points: readonly TimelinePoint[]): string {
  const rows = points.map((point) => Object.values(COLUMNS).map((of) => String(of(point) ?? '')))
  return [Object.keys(COLUMNS), ...rows].map((row) => `${row.join(',')}\r\n`).join('')
}

const CHART = { width: 640, height: 320 }

/** Four charts in one picture: Dice and loss, by corrected slices and by seconds of training. */
async function timelineSvg(
  compute: ComputePort,
  points: readonly TimelinePoint[],
  signal: AbortSignal,
): Promise<string> {
  const charts = timelineCharts(points)
  if (charts.length === 0) {
    throw new CodedError('no-model', 'No version has curves yet; train one first.')
  }
  const pictures: string[] = []
  for (const chart of charts) {
    const { svg } = await compute.call('chart', chart, { signal })
    const [x, y] = [(pictures.length % 2) * CHART.width, Math.floor(pictures.length / 2) * CHART.height]
    pictures.push(svg.slice(svg.indexOf('<svg')).replace('<svg', `<svg x="${x}" y="${y}"`))
  }
  const [width, height] = [2 * CHART.width, Math.ceil(pictures.length / 2) * CHART.height]
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${pictures.join('')}</svg>\n`
}

const AXES = [
  { x: 'corrected slices', of: (point: TimelinePoint) => point.correctedSlices },
  { x: 'seconds of training', of: (point: TimelinePoint) => point.trainingSeconds },
] as const

/** Those that have a point; scores on different hold-outs are lines of their own. */
export function timelineCharts(points: readonly TimelinePoint[]): Chart[] {
  const holdouts = [
    ...new Set(points.flatMap(({ holdoutId, holdoutDice }) => (holdoutDice === null ? [] : [holdoutId]))),
  ]
  return AXES.flatMap(({ x, of }): Chart[] => {
    const line = (name: string, value: (point: TimelinePoint) => number | null): Series => ({
      name,
      points: points
        .flatMap((point) => {
          const y = value(point)
          return y === null || !Number.isFinite(y) ? [] : [{ x: of(point), y }]
        })
        .sort((a, b) => a.x - b.x),
    })
    const scores = holdouts.map((id, at) =>
      line(holdouts.length === 1 ? 'hold-out' : `hold-out ${at + 1}`, (point) =>
        point.holdoutId === id ? point.holdoutDice : null,
      ),
    )
    const dice = [
      ...scores,
      line('corrections, before', (point) => point.correctionDiceBefore),
      line('corrections, after', (point) => point.correctionDiceAfter),
    ]
    const loss = [line('loss', (point) => point.loss)]
    return [
      { title: `Dice by ${x}`, x, y: 'Dice', series: dice.filter((one) => one.points.length > 0) },
      { title: `Loss by ${x}`, x, y: 'loss', series: loss.filter((one) => one.points.length > 0) },
    ].filter(({ series }) => series.length > 0)
  })
}
