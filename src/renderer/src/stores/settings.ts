import { computed, ref } from 'vue'
import { defineStore } from 'pinia'
import { useClient } from '../api/client.ts'
import { applyTheme, rememberedTheme, type Theme } from '../platform/theme.ts'

export const firstRunSteps = ['predict', 'correct', 'retrain', 'save'] as const
export type FirstRunStep = (typeof firstRunSteps)[number]

export const foldableSections = ['labels', 'slide', 'tool', 'layers', 'model', 'details'] as const
export type FoldableSection = (typeof foldableSections)[number]

/** How long one click on Retrain may take, in seconds. */
export const trainingSecondsChoices = [8, 30, 120, 600] as const
/** With the reading, the recording of graphs and the first prediction, ten seconds until the overlay is better. */
const defaultTrainingSeconds = 8

interface Settings {
  theme: Theme
  worklistFolded: boolean
  foldedSections: FoldableSection[]
  trainingSeconds: number
  firstRunDone: FirstRunStep[]
  firstRunDismissed: boolean
}

function defaults(): Settings {
  return {
    theme: rememberedTheme(),
    worklistFolded: false,
    foldedSections: ['details'],
    trainingSeconds: defaultTrainingSeconds,
    firstRunDone: [],
    firstRunDismissed: false,
  }
}

/** What the user chose, kept by the backend. Unknown or damaged values fall back to the default. */
export const useSettingsStore = defineStore('settings', () => {
  const values = ref<Settings>(defaults())
  const loaded = ref(false)

  async function load(): Promise<void> {
    const stored = await useClient().call('settings.get', {})
    values.value = readSettings(stored, values.value)
    applyTheme(values.value.theme)
    loaded.value = true
  }

  /** Shown at once. A setting that cannot be stored is not worth a word: it holds until the page closes. */
  async function set<K extends keyof Settings>(key: K, value: Settings[K]): Promise<void> {
    values.value = { ...values.value, [key]: value }
    if (key === 'theme') applyTheme(values.value.theme)
    try {
      await useClient().call('settings.set', { key: `ui.${key}`, value })
    } catch {
      // Holds for this page.
    }
  }

  const theme = computed(() => values.value.theme)
  const worklistFolded = computed(() => values.value.worklistFolded)
  const trainingSeconds = computed(() => values.value.trainingSeconds)
  const firstRunDone = computed(() => values.value.firstRunDone)
  const firstRunDismissed = computed(() => values.value.firstRunDismissed)

  function isFolded(section: FoldableSection): boolean {
    return values.value.foldedSections.includes(section)
  }

  async function toggleSection(section: FoldableSection): Promise<void> {
    const others = values.value.foldedSections.filter((one) => one !== section)
    await set('foldedSections', isFolded(section) ? others : [...others, section])
  }

  return {
    loaded,
    theme,
    worklistFolded,
    trainingSeconds,
    firstRunDone,
    firstRunDismissed,
    load,
    set,
    isFolded,
    toggleSection,
  }
})

function readSettings(stored: Record<string, unknown>, current: Settings): Settings {
  const theme = stored['ui.theme']
  const folded = stored['ui.worklistFolded']
  const seconds = stored['ui.trainingSeconds']
  const dismissed = stored['ui.firstRunDismissed']
  return {
    theme: theme === 'light' || theme === 'dark' ? theme : current.theme,
    worklistFolded: typeof folded === 'boolean' ? folded : current.worklistFolded,
    foldedSections: oneOf(stored['ui.foldedSections'], foldableSections) ?? current.foldedSections,
    trainingSeconds:
      typeof seconds === 'number' && seconds >= 1 && seconds <= 86_400 ? seconds : current.trainingSeconds,
    firstRunDone: oneOf(stored['ui.firstRunDone'], firstRunSteps) ?? current.firstRunDone,
    firstRunDismissed: typeof dismissed === 'boolean' ? dismissed : current.firstRunDismissed,
  }
}

/** The known members of a stored list; null when it is no list. */
function oneOf<T extends string>(stored: unknown, known: readonly T[]): T[] | null {
  if (!Array.isArray(stored)) return null
  return known.filter((one) => stored.includes(one))
}
