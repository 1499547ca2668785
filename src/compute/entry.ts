/**
 * The compute process. Started by the host with a pipe as file descriptor 3, which carries frames both ways; standard
 * output and error are for logs only. Ends when the pipe closes: it never outlives its host.
 * Backend and threads: `--backend NAME --threads N`, else MASKWRIGHT_BACKEND and MASKWRIGHT_THREADS.
 */
import { Socket } from 'node:net'
import os from 'node:os'
import { parseArgs } from 'node:util'
import { createFrameReader, encodeFrame } from '../core/rpc/frames.ts'
import { createHandlers } from './handlers.ts'
import { answerProbe, PROBE_ARGUMENT } from './runtime/probe.ts'
import { isUsable } from './runtime/rungs.ts'
import { startRuntime } from './runtime/start.ts'
import { createComputeServer } from './server.ts'

const PIPE = 3

async function probe([rung = '', threads = '1']: readonly string[]): Promise<void> {
  if (isUsable(rung)) await answerProbe(rung, Number(threads))
  process.exitCode = 1
}

function serve(): void {
  lowerPriority()
  console.log(`pid ${process.pid}`)
  // An interrupt from the terminal reaches the whole group; the host decides when this process ends.
  process.on('SIGINT', () => undefined)
  const entry = import.meta.filename
  const runtime = startRuntime({ ...settings(), probeEntry: entry })
  // Each call that waits for it answers with the reason.
  runtime.catch((error: unknown) => {
    console.error(`No compute backend: ${String(error)}`)
  })
  const pipe = new Socket({ fd: PIPE, readable: true, writable: true })
  const receive = createComputeServer(createHandlers(runtime, entry), (reply) => {
    pipe.write(encodeFrame(reply))
  })
  pipe.on('data', createFrameReader(receive))
  pipe.on('close', () => process.exit(0))
  pipe.on('end', () => process.exit(0))
  pipe.on('error', () => process.exit(1))
}

function settings(): { backend: string; threads: number } {
  const { values } = parseArgs({
    options: { backend: { type: 'string' }, threads: { type: 'string' } },
    strict: false,
  })
  const { MASKWRIGHT_BACKEND, MASKWRIGHT_THREADS } = process.env
  const threads = Number(values.threads ?? MASKWRIGHT_THREADS ?? 0)
  return {
    backend: String(values.backend ?? MASKWRIGHT_BACKEND ?? 'auto'),
    threads: Number.isFinite(threads) ? threads : 0,
  }
}

/** A brush stroke must not wait for a training step. */
function lowerPriority(): void {
  try {
    os.setPriority(os.constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // Not allowed everywhere, and not needed.
  }
}

const [first, ...rest] = process.argv.slice(2)
if (first === PROBE_ARGUMENT) await probe(rest)
else serve()
