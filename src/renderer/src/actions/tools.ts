import { t } from '../i18n/frame.ts'
import { useViewStore } from '../stores/view.ts'
import { nextBrushRadius } from '../tools/brushSize.ts'
import type { Action } from './types.ts'

export const toolOrder = ['brush', 'eraser', 'pan', 'window', 'zoom'] as const
export type RailTool = (typeof toolOrder)[number]

const toolKeys: Record<RailTool, string> = { brush: 'B', eraser: 'E', pan: 'H', window: 'W', zoom: 'Z' }

export function toolActions(): Action[] {
  const view = useViewStore()
  const tools = toolOrder.map((tool): Action => ({
    id: `tool-${tool}`,
    group: 'tools',
    label: () => t.tools[tool],
    shortcuts: [toolKeys[tool]],
    when: () => true,
    run: () => view.setTool(tool),
    checked: () => view.tool === tool,
  }))
  return [
    ...tools,
    {
      id: 'brush-smaller',
      group: 'tools',
      label: () => t.actions.brushSmaller,
      shortcuts: ['['],
      when: () => true,
      run: () => view.setBrushRadius(nextBrushRadius(view.brushRadius, -1)),
    },
    {
      id: 'brush-larger',
      group: 'tools',
      label: () => t.actions.brushLarger,
      shortcuts: [']'],
      when: () => true,
      run: () => view.setBrushRadius(nextBrushRadius(view.brushRadius, 1)),
    },
  ]
}
