import path from 'node:path'
import { caseOf, listFolder } from './files.ts'
import type { FoundCase, FoundData, LeftFile } from './types.ts'

const SEQUENCE = /^\d{2}$/
const FRAME = /^t(\d{3,4})\.tiff?$/i

/**
 * The Cell Tracking Challenge: frames 01/t000.tif with 01_GT/SEG/man_seg000.tif, where each cell has a number. Few frames have a mask;
 * those without are not told of. Frames of one sequence stay together.
 */
export async function cellTracking(dir: string): Promise<FoundData | null> {
  const { folders } = await listFolder(dir)
  const cases: FoundCase[] = []
  const left: LeftFile[] = []
  for (const sequence of folders.filter((name) => SEQUENCE.test(name))) {
    const truth = path.join(dir, `${sequence}_GT`, 'SEG')
    const [frames, masks] = await Promise.all([listFolder(path.join(dir, sequence)), listFolder(truth)])
    const frameOf = new Map(frames.images.map((name) => [FRAME.exec(name)?.[1], name]))
    for (const mask of masks.images) {
      const number = /^man_seg(\d{3,4})\.tiff?$/i.exec(mask)?.[1]
      const frame = number === undefined ? undefined : frameOf.get(number)
      if (frame === undefined) left.push({ file: path.join(truth, mask), reason: 'is a mask without a frame' })
      else {
        const image = path.join(dir, sequence, frame)
        const more = { patient: sequence, numbered: true }
        cases.push(caseOf(`${sequence}-t${number}`, image, [path.join(truth, mask)], more))
      }
    }
  }
  return cases.length === 0 ? null : { cases, left }
}
