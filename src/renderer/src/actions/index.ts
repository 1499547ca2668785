import { getActivePinia, type Pinia } from 'pinia'
import { useUiStore } from '../stores/ui.ts'
import { editActions, labelActions } from './edit.ts'
import { fileActions, helpActions } from './file.ts'
import { modelActions } from './model.ts'
import { recipeActions } from './recipes.ts'
import { reviewActions } from './review.ts'
import { slideActions, withoutSlices } from './slide.ts'
import { toolActions } from './tools.ts'
import type { Action } from './types.ts'
import { versionActions } from './versions.ts'
import { viewActions } from './view.ts'

export interface Actions {
  readonly all: readonly Action[]
  /** Throws for a name that no action has: a spelling mistake in the program. */
  get(id: string): Action
  /** Does it if it can be done now, and shows what it throws. */
  run(id: string): Promise<void>
}

const known = new WeakMap<Pinia, Actions>()

/** The actions over the stores of this page. */
export function useActions(): Actions {
  const pinia = getActivePinia()
  if (pinia === undefined) throw new Error('useActions() was called without stores')
  const made = known.get(pinia) ?? createActions()
  known.set(pinia, made)
  return made
}

function createActions(): Actions {
  const all = withoutSlices([
    ...fileActions(),
    ...editActions(),
    ...viewActions(),
    ...toolActions(),
    ...labelActions(),
    ...modelActions(),
    ...versionActions(),
    ...reviewActions(),
    ...recipeActions(),
    ...helpActions(),
    ...slideActions(),
  ])
  const byId = new Map(all.map((action) => [action.id, action]))
  const ui = useUiStore()

  function get(id: string): Action {
    const action = byId.get(id)
    if (action === undefined) throw new Error(`There is no action "${id}"`)
    return action
  }

  async function run(id: string): Promise<void> {
    const action = get(id)
    if (action.when() !== true) return
    if (action.onPage !== true) ui.leavePage()
    try {
      await action.run()
    } catch (error) {
      ui.report(error, action.doing ?? null)
    }
  }

  return { all, get, run }
}
