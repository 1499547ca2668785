export type LabelNames = readonly { readonly value: number; readonly name: string }[]

const NAMES: Readonly<Record<string, string>> = {
  accuracy: 'Pixel accuracy',
  dice: 'Dice',
  iou: 'IoU',
  meanIou: 'Mean IoU with background',
  sensitivity: 'Sensitivity',
  specificity: 'Specificity',
  hd: 'HD',
  hd95: 'HD95',
  assd: 'ASSD',
  volumeDifference: 'Volume difference',
  ap: 'AP 0.50\u20130.95',
  ap50: 'AP50',
  'average-precision': 'AP 0.50\u20130.95',
  warping: 'Warping error',
  'warping-error': 'Warping error',
  rand: 'Rand error',
  'rand-error': 'Rand error',
}

/** A metric's key, `dice` or `dice:1`, as it is read; a label by its name. */
export function metricName(key: string, labels: LabelNames): string {
  const [kind = key, value] = key.split(':')
  const name = NAMES[kind] ?? kind
  if (value === undefined) return name
  return `${name}, ${labels.find((label) => String(label.value) === value)?.name ?? `label ${value}`}`
}

/** Three decimals of shares; of very small ones, such as warping errors, as many as it takes. */
export function numberText(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '\u2013'
  if (value !== 0 && Math.abs(value) < 0.005) return value.toPrecision(2)
  return Math.abs(value) >= 100 ? value.toFixed(1) : value.toFixed(3)
}

export function durationText(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** A name within a sentence: abbreviations and names keep their capitals. */
export function inSentence(name: string): string {
  return /^(?:Dice|[A-Z][A-Z]|IoU)/.test(name) ? name : name.charAt(0).toLowerCase() + name.slice(1)
}
