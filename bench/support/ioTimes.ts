/**
 *     node ioTimes.js times FILE RUNS      {"slice":[ms…],"whole":[ms…]} from the call to the middle slice, and to all voxels
 *     node ioTimes.js memory FILE          {"maxRss":MB,"before":MB,"decoded":MB} of a process that opens the file once
 *
 * Run as a bundle: as the shipped program runs, and so that no compiler counts among its memory.
 */
import { readFileSync } from 'node:fs'
import { readImage } from '../../src/imaging/registry.ts'

const [what = '', file = '', runs = '1'] = process.argv.slice(2)
const MB = 1e6

/** On Linux not of resourceUsage(), which begins with what the parent held when it started this process. */
function maxRss(): number {
  const [, own] =
    process.platform === 'linux' ? (/VmHWM:\s*(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8')) ?? []) : []
  return (Number(own ?? process.resourceUsage().maxRSS) * 1024) / MB
}

async function times(count: number): Promise<{ slice: number[]; whole: number[] }> {
  const answer: { slice: number[]; whole: number[] } = { slice: [], whole: [] }
  for (let run = 0; run < count; run++) {
    const started = performance.now()
    const { voxels } = await readImage(file)
    await voxels.slice(2, Math.floor(voxels.dims[2] / 2))
    answer.slice.push(performance.now() - started)
    await voxels.complete()
    answer.whole.push(performance.now() - started)
    await voxels.close()
  }
  return answer
}

async function memory(): Promise<{ maxRss: number; before: number; decoded: number }> {
  const before = maxRss()
  const { voxels } = await readImage(file)
  await voxels.slice(2, Math.floor(voxels.dims[2] / 2))
  await voxels.complete()
  return { maxRss: maxRss(), before, decoded: voxels.byteLength / MB }
}

console.log(JSON.stringify(await (what === 'memory' ? memory() : times(Number(runs)))))
