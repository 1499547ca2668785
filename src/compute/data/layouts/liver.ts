import path from 'node:path'
import { joined, pairBeside, pairFolders } from './files.ts'
import type { FoundCase, FoundData } from './types.ts'

/**
 * Volumes in raw/train and raw/test (or train and test), each NAME_orig.nii.gz with NAME_liver.nii.gz, or
 * volume-N.nii with segmentation-N.nii, beside it; images and masks in folders of their own are taken too. Those of test are held
 * out. imagesTr with labelsTr, as the Medical Segmentation Decathlon has them, too.
 */
export async function liver(dir: string): Promise<FoundData | null> {
  for (const base of [path.join(dir, 'raw'), dir]) {
    const train = await exams(path.join(base, 'train'), {})
    if (train !== null) return joined([train, await exams(path.join(base, 'test'), { heldOut: true })])
  }
  return (await pairFolders(path.join(dir, 'imagesTr'), path.join(dir, 'labelsTr'))) ?? pairBeside(dir)
}

async function exams(dir: string, more: Partial<FoundCase>): Promise<FoundData | null> {
  return (await pairBeside(dir, more)) ?? pairFolders(path.join(dir, 'images'), path.join(dir, 'masks'), more)
}
