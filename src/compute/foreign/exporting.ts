import { writeAtomically } from '../../imaging/files.ts'
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
  await writeAtomically(file, [files.bytes])
  return { maxDifference: 0 }
}
