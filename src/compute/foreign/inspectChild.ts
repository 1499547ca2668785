import { readFile } from 'node:fs/promises'
import { loadOnnxRuntime } from '../native/session/package.ts'
import { memoryBound } from '../runtime/memory.ts'
import { endWithParent } from '../runtime/parent.ts'
import { readSettings } from '../runtime/settings.ts'
import { inspectNetwork } from './inspect.ts'
import { REFUSED, RESULT } from './inspection.ts'
import type { InspectionMessage } from './inspection.ts'

/** The side of inspection.ts that reads and runs the file: tells its parent what came of it, and ends. */
export async function answerInspection([file = '', ...numbers]: readonly string[]): Promise<void> {
  const [threads = 1, seconds = 60, parent = process.ppid] = numbers.map(Number)
  process.on('disconnect', () => process.exit(1))
  // A file that asks for all memory that there is must not take it from others.
  endWithParent(parent, { seconds, bytes: memoryBound() })
  const message = await inspect(file, threads)
  if (process.send === undefined) process.exit(0)
  process.send(message, () => process.exit(0))
}

async function inspect(file: string, threads: number): Promise<InspectionMessage> {
  const runtime = loadOnnxRuntime(readSettings().packagesDir)
  try {
    return { kind: RESULT, facts: await inspectNetwork(await readFile(file), runtime, threads) }
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : problem
    return { kind: REFUSED, problem, detail: cause }
  }
}
