import path from 'node:path'
import { rename, rm, writeFile } from 'node:fs/promises'
import { CodedError } from '../../core/contract/errors.ts'
import { exportNetwork } from '../native/exportOnnx.ts'
import { readFolderCard, readImported } from './folder.ts'
import { isImported } from './network.ts'
import type { ForeignEngine } from './engine.ts'

/**
 * Writes the network of a model folder as an ONNX file, or nothing; one that was imported is given back as it came, once it
 * was found to run still. Throws CodedError as exportNetwork does.
 */
export async function exportModel(
  engine: ForeignEngine,
  modelDir: string,
  file: string,
): Promise<{ maxDifference: number }> {
  if (!isImported(await readFolderCard(modelDir))) return await exportNetwork(modelDir, file)
  const files = await readImported(modelDir)
  const { foreign } = await engine.open(files)
  await foreign.dispose()
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.tmp`)
  try {
    await writeFile(temporary, files.bytes, { flush: true })
    await rename(temporary, file)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw new CodedError('not-saved', `${file} could not be written; choose a folder that you may write to.`, { cause })
  }
  return { maxDifference: 0 }
}
