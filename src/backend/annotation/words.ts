import type { History } from '../../core/contract/schemas.ts'
import type { Labels } from '../project/labels.ts'
import type { CaseMask, StrokeRef } from './masks.ts'

/** A stroke in the user's words: "brush Liver". */
export function strokeName(stroke: Pick<StrokeRef, 'kind' | 'label' | 'counter'>, labels: Labels): string {
  switch (stroke.kind) {
    case 'brush':
    case 'fill':
      return `${stroke.kind} ${labels.nameOf(stroke.label)}`
    case 'erase':
      return 'erase'
    case 'accept':
      return stroke.counter === 'approved' ? 'accept and approve prediction' : 'accept prediction'
    case 'delete-label':
      return `delete label ${labels.nameOf(stroke.label)}`
    case 'import':
      return 'import mask'
    case 'approve':
      return stroke.counter === 'withdrawn' ? 'withdraw approval' : 'approve'
    case 'undo':
    case 'redo':
      return stroke.kind
  }
}

export function historyOf(mask: CaseMask, labels: Labels): History {
  const undo = mask.undo.at(-1)
  const redo = mask.redo.at(-1)
  return {
    canUndo: undo !== undefined,
    canRedo: redo !== undefined,
    undoName: undo === undefined ? null : strokeName(undo, labels),
    redoName: redo === undefined ? null : strokeName(redo, labels),
  }
}
