import type { ErrorCode } from '../../../core/contract/errors.ts'
import type { SliceState } from '../../../core/contract/learning.ts'
import type { Plane } from '../../../core/geometry/types.ts'

/** All words of the viewer. Plain, short, in the user's terms. */
export const viewerText = {
  region: 'Viewer',
  image: (name: string, slice: string) => `${name}, ${slice}. Use the arrow keys to change the slice.`,
  slice: (number: number, count: number) => `slice ${number} of ${count}`,

  planes: {
    label: 'Plane',
    axial: 'Axial',
    coronal: 'Coronal',
    sagittal: 'Sagittal',
  } satisfies Record<Plane | 'label', string>,
  planeKeys: { axial: 'X', coronal: 'Y', sagittal: 'V' } satisfies Record<Plane, string>,

  slider: {
    label: 'Slice',
    number: 'Slice number',
    value: (number: number, count: number, state: SliceState | null) =>
      `slice ${number} of ${count}${state === null || state === 'untouched' ? '' : `, ${state}`}`,
  },

  readout: {
    center: 'Window level',
    centerShort: 'L',
    width: 'Window width',
    widthShort: 'W',
    zoom: 'Zoom in percent',
    zoomShort: 'Zoom',
    voxel: 'Voxel under the pointer: column, row, slice, as stored and counted from 0',
    voxelShort: 'voxel',
    world: 'World coordinate in mm: towards right, anterior, superior',
    worldShort: 'mm',
    intensity: 'Intensity under the pointer, scaled as the file says',
    intensityShort: 'value',
    noLabel: 'Background',
    none: '–',
  },

  empty: {
    title: 'Open an image to begin',
    text: 'Pick a case in the worklist, or open a volume, a DICOM folder, a slide or a picture. Files and folders can also be dropped on this window.',
    steps: 'Then predict, correct with the brush, retrain, and save the mask.',
  },
  opening: (name: string) => (name === '' ? 'Opening the image…' : `Opening ${name}…`),
  loadingSlice: 'Reading the slice…',

  failed: {
    openTitle: (name: string) => (name === '' ? 'The image cannot be shown' : `${name} cannot be shown`),
    sliceTitle: (number: number) => `Slice ${number} cannot be shown`,
    again: 'Try again',
    locate: 'Locate the image',
    details: 'Details',
    copy: 'Copy details',
    copied: 'Copied',
    /** What to do, by code; empty where the message or a button says it. */
    remedy: {
      'file-missing': '',
      'no-permission': 'Change the permission of the file, then try again.',
      'bad-file': '',
      'connection-lost': 'It is read again as soon as the connection is back.',
      'not-found': 'It may have been removed meanwhile; pick another case from the worklist.',
    } satisfies Partial<Record<ErrorCode, string>> as Partial<Record<ErrorCode, string>>,
    otherRemedy: 'Try again; if it stays, copy the details for support.',
  },

  save: {
    connectionLost: 'There is no connection to the backend, so this could not be done.',
    strokesWait: 'The connection to the backend is lost; your strokes are kept here and sent when it is back.',
    refused: 'Saving a stroke',
    unsaved: 'Strokes that are not saved yet',
    conflict: 'The mask had changed meanwhile, so the last stroke was taken back and the slice was read again.',
  },

  notice: {
    accepted: (number: number) =>
      `The prediction of slice ${number} was accepted before your stroke. Undo takes it back.`,
    acceptFailed: 'The prediction could not be accepted first, so your stroke is on the mask alone.',
    locked: (name: string) => `${name} is locked. Unlock it in the label list, or pick another label.`,
    noLabel: 'Add a label first, then paint with it.',
    hiddenLabel: (name: string) => `${name} is hidden, so you would not see what you paint. Show it in the label list.`,
    maskHidden: 'The mask is hidden, so you would not see what you paint. Press O to show it.',
    notReady: 'This slice is still being read.',
  },
} as const
