/** Numbers, sizes and times in the units that people use. */

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

/** 1234567 -> "1,234,567" */
export function formatCount(value: number): string {
  return grouped.format(value)
}

/** "1 slice", "3 slices"; `many` only where the plural is irregular. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`
}

/** "Liver", "Liver or Spleen", "Liver, Spleen or Kidney"; after four of them, how many more there are. */
export function eitherOf(names: readonly string[]): string {
  const shown = names.length > 5 ? [...names.slice(0, 4), `${formatCount(names.length - 4)} more`] : names
  const last = shown.at(-1) ?? ''
  return shown.length < 2 ? last : `${shown.slice(0, -1).join(', ')} or ${last}`
}

/** Bytes in powers of 1000, as file managers show them: 1532 -> "1.5 kB". */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${value.toFixed(unit === 0 || value >= 99.5 ? 0 : 1)} ${units[unit] ?? ''}`
}

/** Rough length of time: "8 s", "2 min", "1 h 5 min". Never shows 0 s for time that is left. */
export function formatSeconds(seconds: number): string {
  if (seconds < 59.5) return `${Math.max(1, Math.round(seconds))} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const rest = minutes % 60
  return rest === 0 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 60)} h ${rest} min`
}

/** 0..1 -> "0.93" */
export function formatDice(dice: number): string {
  return dice.toFixed(2)
}

/** Three significant digits, without exponents in the usual range. */
export function formatLoss(loss: number): string {
  if (loss !== 0 && Math.abs(loss) < 0.001) return loss.toExponential(1)
  return loss >= 100 ? loss.toFixed(0) : loss.toPrecision(3)
}

/** Millimetres with at most three decimals and no idle zeros: 0.9765625 -> "0.977", 2 -> "2". */
export function formatMillimetres(value: number): string {
  return String(Number(value.toFixed(3)))
}

/** Distances of pixels in a unit in which they can be read: "0.8 × 0.8 × 3 mm", of a microscope "0.25 × 0.25 µm". */
export function formatSpacing(millimetres: readonly number[]): string {
  const fine = Math.max(...millimetres) < 0.1
  const shown = millimetres.map((value) => formatMillimetres(fine ? value * 1000 : value))
  return `${shown.join(' × ')} ${fine ? 'µm' : 'mm'}`
}

/** ISO time -> "20 Nov, 09:31" in local time. */
export function formatMoment(iso: string): string {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return iso
  return date.toLocaleString('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' })
}
