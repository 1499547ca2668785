/**
 * Predicts one large picture as often as asked (first argument) on a rung (third), and may hold so many megabytes more
 * (second) than before the first. Prints { boundMB, settledMB, lastMB, peakMB, same }: the bound, the memory after 40
 * predictions, when engine and heap have found their size, and after the last, the most there ever was, and whether all
 * predictions were equal.
 */
import { buildUNet } from '../../models/unet.ts'
import { collectGarbage } from '../../runtime/memory.ts'
import { startRung } from '../../runtime/rung.ts'
import { runNetwork } from '../network.ts'

const WIDTH = 1000
const HEIGHT = 900
const SETTLED = 40
const [times = 1, more = 1000] = process.argv.slice(2, 4).map(Number)
const rung = process.argv[4] === 'native' ? 'native' : 'wasm'
const megabytes = () => process.memoryUsage.rss() / 2 ** 20
/** Without what only waits to be collected. */
const held = () => {
  collectGarbage()
  return megabytes()
}

await startRung(rung, 1)
const network = buildUNet({ levels: 1, base: 4, classes: 3, seed: 1, normalization: 'none', upsampling: 'nearest' })
const picture = Float32Array.from({ length: WIDTH * HEIGHT }, (_, i) => ((i * 7919) % 1013) / 1013)
const boundMB = Math.round(megabytes() + more)
process.env.MASKWRIGHT_MEMORY_MB = String(boundMB)

async function predict(): Promise<number> {
  let sum = 0
  await runNetwork(
    network,
    2,
    [{ width: WIDTH, height: HEIGHT }],
    () => picture,
    (_slice, { input, keep }, logits, classes) => {
      for (let y = keep.top; y < keep.top + keep.height; y++) {
        for (let x = keep.left; x < keep.left + keep.width; x++) {
          sum += logits[((y - input.top) * input.width + x - input.left) * classes] ?? NaN
        }
      }
    },
  )
  return sum
}

const first = await predict()
let settledMB = NaN
let peakMB = megabytes()
let same = true
for (let i = 1; i < times; i++) {
  const again = await predict()
  peakMB = Math.max(peakMB, megabytes())
  if (i === SETTLED) settledMB = held()
  if (Math.abs(again - first) > 1e-6 * Math.abs(first)) same = false
}
peakMB = Math.max(peakMB, process.resourceUsage().maxRSS / 1024)
process.stdout.write(`${JSON.stringify({ boundMB, settledMB, lastMB: held(), peakMB, same })}\n`)
