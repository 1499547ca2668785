import { t } from '../i18n/frame.ts'
import { useConnectionStore } from '../stores/connection.ts'
import { useExportsStore } from '../stores/exports.ts'
import { useJobsStore } from '../stores/jobs.ts'
import { useProjectStore } from '../stores/project.ts'
import { useUiStore } from '../stores/ui.ts'
import { useViewStore } from '../stores/view.ts'
import { askToRemove, neighbourCase, openCase } from './flows.ts'
import { askForMask, saveMask } from './masks.ts'
import { askForFiles, askForFolder } from './opening.ts'
import type { Action } from './types.ts'

export function fileActions(): Action[] {
  const view = useViewStore()
  const connection = useConnectionStore()
  const exported = useExportsStore()
  const jobs = useJobsStore()
  const project = useProjectStore()
  const ui = useUiStore()
  const connected = () => (connection.open ? true : t.reasons.noConnection)
  const canSave = () => {
    if (view.caseId === null) return t.reasons.noCase
    if (view.detail?.kind === 'slide') return t.reasons.slide
    return exported.running === null ? connected() : t.reasons.saving
  }
  const canExport = () => {
    if (project.cases.length === 0) return t.reasons.noCase
    return jobs.busy ? t.reasons.jobRuns : connected()
  }
  return [
    {
      id: 'open',
      group: 'file',
      label: () => t.actions.open,
      shortcuts: ['Ctrl+O'],
      when: connected,
      run: askForFiles,
      whileTyping: true,
      doing: t.errors.doing.addCase,
    },
    {
      id: 'open-folder',
      group: 'file',
      label: () => t.actions.openFolder,
      shortcuts: ['Ctrl+Shift+O'],
      when: connected,
      run: askForFolder,
      whileTyping: true,
      doing: t.errors.doing.addCase,
    },
    {
      id: 'save',
      group: 'file',
      label: () => t.actions.save,
      shortcuts: ['Ctrl+S'],
      when: canSave,
      run: saveMask,
      whileTyping: true,
      doing: t.errors.doing.save,
    },
    {
      id: 'save-as',
      group: 'file',
      label: () => t.actions.saveAs,
      shortcuts: ['Ctrl+Shift+S'],
      when: canSave,
      run: () => ui.toggle('save-as'),
      whileTyping: true,
      doing: t.errors.doing.save,
    },
    {
      id: 'import-mask',
      group: 'file',
      label: () => t.actions.importMask,
      shortcuts: ['Ctrl+I'],
      when: () => {
        if (view.detail === null) return t.reasons.noCase
        return view.detail.kind === 'slide' ? t.reasons.slide : connected()
      },
      run: askForMask,
      whileTyping: true,
      doing: t.errors.doing.importMask,
    },
    {
      id: 'export-dataset',
      group: 'file',
      label: () => t.actions.exportDataset,
      shortcuts: ['Ctrl+Shift+E'],
      when: canExport,
      run: () => ui.toggle('export-dataset'),
      whileTyping: true,
      doing: t.errors.doing.dataset,
    },
    stepCase('next-case', t.actions.nextCase, 1, 'Ctrl+ArrowDown'),
    stepCase('previous-case', t.actions.previousCase, -1, 'Ctrl+ArrowUp'),
    {
      id: 'remove-case',
      group: 'file',
      label: () => t.actions.removeCase,
      shortcuts: [],
      when: () => (view.caseId === null ? t.reasons.noCase : connected()),
      run: () => (view.caseId === null ? undefined : askToRemove(view.caseId)),
      doing: t.errors.doing.remove,
    },
  ]
}

function stepCase(id: string, label: string, step: 1 | -1, shortcut: string): Action {
  const project = useProjectStore()
  return {
    id,
    group: 'file',
    label: () => label,
    shortcuts: [shortcut],
    when: () => (project.cases.length > 0 ? true : t.reasons.noCase),
    run: async () => {
      const neighbour = neighbourCase(step)
      if (neighbour !== null) await openCase(neighbour)
    },
    doing: t.errors.doing.open,
  }
}

/** The command field, help and reports. */
export function helpActions(): Action[] {
  const ui = useUiStore()
  return [
    {
      id: 'palette',
      group: 'help',
      label: () => t.actions.palette,
      shortcuts: ['Ctrl+K'],
      when: () => true,
      run: () => ui.toggle('palette'),
      whileTyping: true,
      onPage: true,
    },
    {
      id: 'help',
      group: 'help',
      label: () => t.actions.help,
      shortcuts: ['?', 'F1'],
      when: () => true,
      run: () => ui.toggle('help'),
      onPage: true,
    },
    {
      id: 'doctor',
      group: 'help',
      label: () => t.actions.doctor,
      shortcuts: [],
      when: () => true,
      run: () => ui.toggle('doctor'),
      onPage: true,
    },
  ]
}
