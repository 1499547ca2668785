import { formatCount, plural } from './format.ts'

/** Three digits in the unit that suits: 0.0123 mm -> "12.3 µm", 4.2 mm -> "4.2 mm". */
export function formatLength(millimetres: number): string {
  const small = Math.abs(millimetres) < 0.9995
  const value = small ? millimetres * 1000 : millimetres
  return `${String(Number(value.toPrecision(3)))} ${small ? 'µm' : 'mm'}`
}

/** All words about slides and their regions. Plain, short, in the user's terms. */
export const slideText = {
  image: (name: string) =>
    `${name}, a slide. Arrow keys move it, plus and minus zoom, F shows all of it, G annotates a region.`,
  loading: 'Reading the slide…',

  annotate: 'Annotate a region',
  annotateHint: 'A rectangle of this slide becomes a case of its own, to be predicted, painted and saved.',
  actualSize: 'Actual pixels (100 %)',
  panKeys: 'Move a slide',

  reasons: {
    notASlide: 'This is for slides: open one first',
    slide: 'A slide is annotated in regions: press G, or open one of its regions',
    tooLarge: (pixels: number) =>
      `${formatCount(pixels / 1e6)} million pixels are too many: at most 64 million, so draw less or take a coarser level`,
    tooSmall: 'At least 16 × 16 pixels are needed: draw more or take a finer level',
    empty: 'Draw a rectangle first',
    adding: 'The region is being added',
  },

  region: {
    label: 'Annotate a region',
    draw: 'Drag over what you want to annotate.',
    takeView: 'Take what is on screen',
    width: 'Width of the region in pixels of its level',
    height: 'Height of the region in pixels of its level',
    pixels: 'pixels',
    level: 'Resolution of the region',
    full: 'Full resolution',
    reduced: (factor: number) => `1/${String(Number(factor.toPrecision(2)))}`,
    confirm: 'Annotate',
    confirming: 'Adding…',
    cancel: 'Cancel',
    drawn: 'Region to be annotated. Arrow keys move it, Enter confirms, Escape cancels.',
    taken: (name: string) => `Region ${name}: open it`,
    doing: 'Annotating a region',
  },

  section: {
    title: 'Slide',
    none: 'No region of this slide is annotated yet.',
    regions: (count: number) => `${plural(count, 'region')} on the worklist`,
    inList: (count: number) => (count === 0 ? 'Slide' : `Slide, ${plural(count, 'region')}`),
    smooth: 'Smooth pixels',
    back: (name: string) => `Region of ${name}`,
    backHint: 'Shows the slide that this region is from',
  },

  overview: 'Overview of the slide; drag the frame to move',
  scaleBar: (length: string) => `Scale bar: ${length}`,
  readout: {
    position: 'Pixel under the pointer at full resolution: column and row, counted from 0',
    pixel: 'pixel',
    lengthHint: 'Distance from the upper left corner',
    micrometres: 'µm',
    valueHint: 'Value under the pointer, of the level on screen',
    valueShort: 'value',
    none: '–',
  },

  damaged: (tiles: number, reason: string) =>
    `${plural(tiles, 'tile')} of this slide cannot be read and ${tiles === 1 ? 'is' : 'are'} hatched: ${reason}`,
  again: 'Try again',
} as const
