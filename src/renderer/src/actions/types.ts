export type ActionGroup = 'file' | 'edit' | 'view' | 'tools' | 'labels' | 'model' | 'review' | 'help'

/**
 * Everything that can be done, as data. Menu, command field, tool rail, buttons, keyboard and help sheet are made from
 * the one list.
 */
export interface Action {
  readonly id: string
  readonly group: ActionGroup
  /** A verb phrase; computed, since some say what they would act on. */
  readonly label: () => string
  /** Such as "Ctrl+Shift+Z", "B", "["; the first is the one that is shown. No two actions share one. */
  readonly shortcuts: readonly string[]
  /** True when it can be done now, else the reason why not, for the tooltip. */
  readonly when: () => true | string
  readonly run: () => void | Promise<void>
  /** For actions that switch something: is it on? */
  readonly checked?: () => boolean
  /** Its shortcut also works while text is being typed. */
  readonly whileTyping?: boolean
  /** It belongs to no image: it works on a page in place of them as well. The others lead back to the images first. */
  readonly onPage?: boolean
  /** Keyboard and command field only: too many for the menu. */
  readonly hidden?: boolean
  /** Words for the report when it fails. */
  readonly doing?: string
}
