import type { PlaneView } from '../../../core/geometry/types.ts'

/** In pixels of the image, along its finer direction. Half a pixel paints one voxel. */
export const BRUSH_RADIUS = { min: 0.5, max: 60 } as const

/** Half steps while small, larger ones as it grows, so that holding the key gets anywhere soon. */
export function nextBrushRadius(radius: number, direction: 1 | -1): number {
  const at = direction > 0 ? radius : radius - 1e-6
  const step = at < 5 ? 0.5 : at < 12 ? 1 : at < 30 ? 2 : 5
  const next = direction > 0 ? Math.floor(radius / step + 1 + 1e-9) * step : Math.ceil(radius / step - 1 - 1e-9) * step
  return clampBrushRadius(next)
}

export function clampBrushRadius(radius: number): number {
  if (!Number.isFinite(radius)) return BRUSH_RADIUS.min
  return Math.max(BRUSH_RADIUS.min, Math.min(BRUSH_RADIUS.max, radius))
}

/** Radii along display columns and rows: a disk in millimetres, so fewer pixels along the coarser direction. */
export function brushRadii(view: PlaneView, radius: number): { readonly x: number; readonly y: number } {
  const unit = Math.min(view.columnSpacing, view.rowSpacing)
  return {
    x: Math.max(BRUSH_RADIUS.min, (radius * unit) / view.columnSpacing),
    y: Math.max(BRUSH_RADIUS.min, (radius * unit) / view.rowSpacing),
  }
}
