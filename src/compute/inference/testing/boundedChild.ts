/**
 * Predicts one large picture as often as asked (first argument), on the `wasm` rung, and may hold so many megabytes more
 * (second argument) than before the first. Prints { boundMB, firstMB, lastMB, peakMB, same }: the bound, the memory after
 * the first and the last prediction, the most there ever was, and whether all predictions were equal.
 */
import { buildUNet } from '../../models/unet.ts'
import { startRung } from '../../runtime/rung.ts'
import { runNetwork } from '../network.ts'

const WIDTH = 1000
const HEIGHT = 900
const [times = 1, more = 1000] = process.argv.slice(2).map(Number)
const megabytes = () => process.memoryUsage.rss() / 2 ** 20

await startRung('wasm', 1)
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
const firstMB = megabytes()
let peakMB = firstMB
let same = true
for (let i = 1; i < times; i++) {
  const again = await predict()
  peakMB = Math.max(peakMB, megabytes())
  if (Math.abs(again - first) > 1e-6 * Math.abs(first)) same = false
}
peakMB = Math.max(peakMB, process.resourceUsage().maxRSS / 1024)
process.stdout.write(`${JSON.stringify({ boundMB, firstMB, lastMB: megabytes(), peakMB, same })}\n`)
