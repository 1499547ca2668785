import { Socket } from 'node:net'
import os from 'node:os'
import { parseArgs } from 'node:util'
import { createFrameReader, encodeFrame } from '../core/rpc/frames.ts'
import { answerInspection } from './foreign/inspectChild.ts'
import { INSPECT_ARGUMENT } from './foreign/inspection.ts'
import { createHandlers, foreignEngine } from './handlers.ts'
import { createLearning } from './learning/handlers.ts'
import { createModelCache } from './models/cache.ts'
import { createHousekeeping, RECYCLED } from './runtime/housekeeping.ts'
import { endWithParent } from './runtime/parent.ts'
import { PROBE_ARGUMENT } from './runtime/probe.ts'
import { answerProbe } from './runtime/probeChild.ts'
import { readSettings } from './runtime/settings.ts'
import { startRuntime } from './runtime/start.ts'
import { createComputeServer } from './server.ts'
import type { ComputeReply } from '../core/contract/compute.ts'
import type { SettingArguments } from './runtime/settings.ts'
import type { RuntimeOptions } from './runtime/start.ts'

const PIPE = 3

function serve(entry: string): void {
  // A closed pipe is not seen while a driver keeps the main thread.
  endWithParent()
  lowerPriority()
  process.stdout.write(`pid ${process.pid}\n`)
  // An interrupt from the terminal reaches the whole group; the host decides when this process ends.
  process.on('SIGINT', () => undefined)
  const pipe = new Socket({ fd: PIPE, readable: true, writable: true })
  const send = (reply: ComputeReply) => {
    pipe.write(encodeFrame(reply))
  }
  const options: RuntimeOptions = {
    ...readSettings(process.env, givenArguments()),
    probeEntry: entry,
    notify: (level, message) => {
      send({ t: 'notice', level, message })
    },
    log,
  }
  const runtime = startRuntime(options)
  // Each call that waits for it answers with the reason.
  runtime.catch((error: unknown) => {
    log(`No compute backend: ${String(error)}`)
  })
  const foreign = foreignEngine(options)
  const models = createModelCache(foreign)
  const learning = createLearning(runtime, models)
  const housekeeping = createHousekeeping({
    dropCaches: () => {
      models.drop()
      learning.resident.drop()
    },
    needed: () => learning.isTraining(),
    recycle: () => {
      pipe.end(() => process.exit(RECYCLED))
    },
  })
  const receive = createComputeServer(createHandlers(runtime, options, foreign, models, learning), send, housekeeping)
  pipe.on('data', createFrameReader(receive))
  pipe.on('close', () => process.exit(0))
  pipe.on('end', () => process.exit(0))
  pipe.on('error', () => process.exit(1))
}

/** For the host's log; the pipe is for messages alone. */
function log(line: string): void {
  process.stderr.write(`${line}\n`)
}

function givenArguments(): SettingArguments {
  const { values } = parseArgs({
    options: { backend: { type: 'string' }, threads: { type: 'string' } },
    strict: false,
  })
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined)
  return { backend: text(values.backend), threads: text(values.threads) }
}

/** A brush stroke must not wait for a training step. */
function lowerPriority(): void {
  try {
    os.setPriority(os.constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // Not allowed everywhere, and not needed.
  }
}

/** What the arguments ask for: a host's process, or the trial of a rung or of a network. `entry` is the script that calls this. */
export async function run(entry: string, [first, ...rest]: readonly string[]): Promise<void> {
  if (first === PROBE_ARGUMENT) await answerProbe(rest)
  else if (first === INSPECT_ARGUMENT) await answerInspection(rest)
  else serve(entry)
}
