import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { bombs } from './bombs.ts'
import { tryImage, tryMask } from './check.ts'
import { createRandom } from './random.ts'
import { damaged, maskSeeds, seeds } from './seeds.ts'

/** The name under which `bombs` are asked for, by number. */
const BOMBS = 'bombs'

/**
 * Reads damaged files FIRST to LAST of a format, one after the other, and tells its parent of each before and after:
 * `node fuzzChild.ts FORMAT FIRST LAST FOLDER`. In a process of its own, so that one that crashes or hangs is told from one that is refused.
 */
const [format = '', first = '0', last = '0', folder = ''] = process.argv.slice(2)

/** What is opened, and the names by which a refusal may call it. */
interface Opened {
  readonly path: string
  readonly names: readonly string[]
}

/** Writes the input of a number. */
type Input = (index: number, dir: string) => Promise<Opened>

const input = format === BOMBS ? bomb : await damagedFile()

for (let index = Number(first); index < Number(last); index++) {
  const dir = join(folder, `${format}-${index}`)
  await mkdir(dir)
  const { path, names } = await input(index, dir)
  tell({ kind: 'begin', index })
  forgetPeak()
  const cpu = process.cpuUsage()
  const outcome = await (format in maskSeeds ? tryMask : tryImage)(path, names)
  const { user, system } = process.cpuUsage(cpu)
  tell({ kind: 'end', index, outcome, cpuSeconds: (user + system) / 1e6, peakMB: peakMB() })
  if (outcome.kind !== 'fault') await rm(dir, { recursive: true })
}
// What still has to be sent goes before the channel is closed.
process.disconnect()

async function damagedFile(): Promise<Input> {
  const made = await { ...seeds, ...maskSeeds }[format]?.()
  if (made === undefined) throw new Error(`no seeds for ${format}`)
  return async (index, dir) => {
    const random = createRandom(index * 2654435761 + format.length)
    const files = damaged(random.pick(made), random)
    for (const { name, bytes } of files) {
      await mkdir(dirname(join(dir, name)), { recursive: true })
      await writeFile(join(dir, name), bytes)
    }
    const [first] = files
    if (first === undefined) throw new Error(`a seed of ${format} is empty`)
    const names = [basename(dir), ...files.map(({ name }) => basename(name))]
    return { path: format in maskSeeds && files.length > 1 ? dir : join(dir, first.name), names }
  }
}

async function bomb(index: number, dir: string): Promise<Opened> {
  const write = Object.values(bombs)[index]
  if (write === undefined) throw new Error(`no bomb ${index}`)
  const path = await write(dir)
  return { path, names: [basename(path)] }
}

function tell(message: FuzzMessage): void {
  process.send?.(message)
}

/** Linux keeps the largest resident size of a process, and lets it be forgotten. Elsewhere the present size has to do. */
function forgetPeak(): void {
  if (existsSync('/proc/self/clear_refs')) writeFileSync('/proc/self/clear_refs', '5')
}

function peakMB(): number {
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : ''
  const peak = /VmHWM:\s+(\d+) kB/.exec(status)?.[1]
  return peak === undefined ? process.memoryUsage.rss() / 2 ** 20 : Number(peak) / 1024
}

export type FuzzMessage =
  | { readonly kind: 'begin'; readonly index: number }
  | {
      readonly kind: 'end'
      readonly index: number
      readonly outcome: Awaited<ReturnType<typeof tryImage>>
      readonly cpuSeconds: number
      readonly peakMB: number
    }
