/** Answers as the test says, and remembers what was shown. */
export class DialogDouble {
  openAnswer: { canceled: boolean; filePaths: string[] } = { canceled: true, filePaths: [] }
  saveAnswer: { canceled: boolean; filePath: string } = { canceled: true, filePath: '' }
  /** Index of the button pressed in message boxes. */
  button = 0
  readonly shown: { kind: string; options: Record<string, unknown> }[] = []

  async showOpenDialog(_window: unknown, options: Record<string, unknown>) {
    this.shown.push({ kind: 'open', options })
    return this.openAnswer
  }
  async showSaveDialog(_window: unknown, options: Record<string, unknown>) {
    this.shown.push({ kind: 'save', options })
    return this.saveAnswer
  }
  async showMessageBox(_window: unknown, options: Record<string, unknown>) {
    this.shown.push({ kind: 'message', options })
    return { response: this.button, checkboxChecked: false }
  }
  showMessageBoxSync(_window: unknown, options: Record<string, unknown>): number {
    this.shown.push({ kind: 'message', options })
    return this.button
  }
  showErrorBox(title: string, content: string): void {
    this.shown.push({ kind: 'error', options: { title, content } })
  }
}
