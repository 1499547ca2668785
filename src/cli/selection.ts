import type { ImageSelection } from '../core/contract/schemas.ts'

/** Options that say which of several images in a file or folder is meant. Numbers count from 0, as the files do. */
export interface SelectionOptions {
  readonly series?: string
  readonly frame?: number
  readonly channel?: number
  readonly part?: NonNullable<ImageSelection['part']>
}

export function selectionOf({ series, frame, channel, part }: SelectionOptions): ImageSelection {
  return {
    ...(series === undefined ? {} : { series }),
    ...(frame === undefined ? {} : { frame }),
    ...(channel === undefined ? {} : { channel }),
    ...(part === undefined ? {} : { part }),
  }
}
