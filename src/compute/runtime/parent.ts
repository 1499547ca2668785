import { Worker } from 'node:worker_threads'

const LOOK_MS = 250

/** When this process ends itself, beside with its parent. */
export interface Limits {
  readonly seconds?: number
  /** What it may hold. */
  readonly bytes?: number
}

/**
 * Ends this process with its parent, also while the main thread hangs in a driver: an ended parent leaves its children
 * to another one, which a second thread sees. Windows does not tell it so; there the limits are what bounds it, if given.
 *
 * @param parent - Told, where it can be: it may have ended before this process looks for the first time.
 */
export function endWithParent(
  parent: number = process.ppid,
  { seconds = Infinity, bytes = Infinity }: Limits = {},
): void {
  const end = Date.now() + seconds * 1000
  const watch = `
    setInterval(() => {
      const spent = Date.now() > ${end} || process.memoryUsage.rss() > ${bytes}
      if (spent || process.ppid !== ${parent}) process.kill(process.pid, 'SIGKILL')
    }, ${LOOK_MS})
  `
  const thread = new Worker(watch, { eval: true })
  // Where there is no room for a thread, the pipe is what is left.
  thread.on('error', () => undefined)
  thread.unref()
}
