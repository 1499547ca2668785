export type Theme = 'dark' | 'light'

const key = 'maskwright.theme'

/** The theme of the last visit, known before the backend answers, so that the page does not flash. */
export function rememberedTheme(): Theme {
  try {
    return localStorage.getItem(key) === 'light' ? 'light' : 'dark'
  } catch {
    return 'dark'
  }
}

export function applyTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme
  try {
    localStorage.setItem(key, theme)
  } catch {
    // Storage is off: the backend's settings still hold the theme.
  }
}
