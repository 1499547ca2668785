import { fillHoles, keepParts } from '../../core/voxels/index.ts'
import type { InferenceSettings } from '../../core/contract/recipes.ts'
import type { GridDims } from '../../core/voxels/index.ts'

/** Leaves out small parts and all but the largest, then fills holes, as the settings say; changes `labels`. */
export function tidyLabels(
  labels: Uint8Array,
  dims: GridDims,
  settings: Pick<InferenceSettings, 'smallest' | 'largestComponent' | 'fillHoles'>,
): void {
  keepParts(labels, dims, { smallest: settings.smallest, largest: settings.largestComponent })
  if (settings.fillHoles) fillHoles(labels, dims)
}
