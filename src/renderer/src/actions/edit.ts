import { t } from '../i18n/frame.ts'
import { useAnnotationStore } from '../stores/annotation.ts'
import { useProjectStore } from '../stores/project.ts'
import { useSettingsStore } from '../stores/settings.ts'
import { useUiStore } from '../stores/ui.ts'
import { useViewStore } from '../stores/view.ts'
import type { Action } from './types.ts'

export function editActions(): Action[] {
  const annotation = useAnnotationStore()
  const ui = useUiStore()
  return [
    {
      id: 'undo',
      group: 'edit',
      label: () => t.top.undo(annotation.history?.undoName ?? null),
      shortcuts: ['Ctrl+Z'],
      when: () => annotation.history?.canUndo === true || t.reasons.nothingToUndo,
      run: async () => {
        ui.note = null
        await annotation.undo()
      },
      doing: t.errors.doing.undo,
    },
    {
      id: 'redo',
      group: 'edit',
      label: () => t.top.redo(annotation.history?.redoName ?? null),
      shortcuts: ['Ctrl+Shift+Z', 'Ctrl+Y'],
      when: () => annotation.history?.canRedo === true || t.reasons.nothingToRedo,
      run: async () => {
        ui.note = null
        await annotation.redo()
      },
      doing: t.errors.doing.redo,
    },
  ]
}

export function labelActions(): Action[] {
  const view = useViewStore()
  const project = useProjectStore()
  const ui = useUiStore()
  const settings = useSettingsStore()
  const byNumber = Array.from({ length: 9 }, (_, at): Action => {
    const label = () => project.labels[at] ?? null
    return {
      id: `label-${at + 1}`,
      group: 'labels',
      label: () => t.labels.use(label()?.name ?? t.labels.defaultName(at + 1)),
      shortcuts: [String(at + 1)],
      when: () => (label() === null ? t.reasons.noLabel : true),
      run: () => {
        const chosen = label()
        if (chosen !== null) view.activeLabel = chosen.value
      },
      hidden: true,
    }
  })
  return [
    {
      id: 'add-label',
      group: 'labels',
      label: () => t.actions.addLabel,
      shortcuts: ['L'],
      when: () => true,
      run: async () => {
        if (settings.isFolded('labels')) await settings.toggleSection('labels')
        ui.addingLabel = true
      },
    },
    ...byNumber,
  ]
}
