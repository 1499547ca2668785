import path from 'node:path'
import { pairBeside } from './files.ts'
import type { FoundData } from './types.ts'

/** Ultrasound nerve segmentation: train/1_1.tif with train/1_1_mask.tif beside it, the patient's number first. */
export async function nerve(dir: string): Promise<FoundData | null> {
  return (await pairBeside(path.join(dir, 'train'))) ?? pairBeside(dir)
}
