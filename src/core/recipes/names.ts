/** How masks are called beside their images: "scan_seg", "segmentation-12", "1_12_mask". Stems, without folder and ending. */

const MASK_END = /[ _.-](mask|masks|seg|segmentation|label|labels|labelmap|truth|gt|liver|manual)$/i
const MASK_START = /^(mask|seg|segmentation|label|labels|truth|gt)[ _.-]/i
const IMAGE_END = /[ _.-](orig|original|image|img|ct|mr|vol|volume|scan|0000)$/i
const IMAGE_START = /^(image|img|vol|volume|scan)[ _.-]/i

/** The name without what says that it is a mask. */
export function maskKey(stem: string): string {
  return stem.replace(MASK_END, '').replace(MASK_START, '')
}

/** The name without what says that it is an image; a mask's and its image's are then often the same. */
export function imageKey(stem: string): string {
  return stem.replace(IMAGE_END, '').replace(IMAGE_START, '')
}

export function isMaskName(stem: string): boolean {
  return MASK_END.test(stem) || MASK_START.test(stem)
}
