import type { ImageSelection } from '../../core/contract/schemas.ts'
import type { ImageInfo } from '../../imaging/index.ts'

/** What is chosen, without what would be taken anyway: two ways to say the same are one. */
export function plainSelection(selection: ImageSelection, info: ImageInfo): ImageSelection {
  const { series, frame = 0, channel = 0, part = 'magnitude', affine, region } = selection
  return {
    ...(series === undefined || info.format !== 'dicom' ? {} : { series }),
    ...(frame === 0 ? {} : { frame }),
    ...(channel === 0 ? {} : { channel }),
    ...(part === 'magnitude' || !info.complex ? {} : { part }),
    ...(affine === undefined || info.disagreement === null ? {} : { affine }),
    ...(region === undefined ? {} : { region }),
  }
}

/**
 * What makes another case of the same bytes. Not the series, whose files are the bytes, unless several stacks of it lie in one file;
 * nor the position, which can be changed of a case.
 */
export function keyOf({ series, frame, channel, part, region }: ImageSelection, files: number): string {
  const stack = files === 1 ? /#\d+$/.exec(series ?? '')?.[0] : undefined
  return JSON.stringify({ frame, channel, part, region, stack })
}

/** The name of a case that is one of several images in its file: "scan · frame 3". */
export function nameOf(stem: string, { frame, channel, part }: ImageSelection, info: ImageInfo): string {
  const parts = [
    frame === undefined ? null : `frame ${frame + 1}`,
    channel === undefined ? null : (info.channelNames[channel] ?? `channel ${channel + 1}`),
    part ?? null,
  ]
  return [stem, ...parts.filter((text) => text !== null)].join(' · ')
}
