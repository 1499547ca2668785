/** Can it be done now? True, or the reason why not. */
export type Check = () => true | string

/** The first reason why not; true when there is none. */
export function all(...checks: Check[]): Check {
  return () => {
    for (const check of checks) {
      const answer = check()
      if (answer !== true) return answer
    }
    return true
  }
}
