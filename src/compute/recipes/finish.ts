import { open, readdir, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { toWireError } from '../../core/contract/errors.ts'
import { saveModel } from '../models/files.ts'
import { saveError, syncFolder } from '../models/saving.ts'
import { compareReports } from '../report/index.ts'
import { recipeCard } from './recipeCard.ts'
import { scoreCases } from './scoring.ts'
import type { ModelCard } from '../../core/contract/compute.ts'
import type { CaseScores } from '../../core/contract/recipes.ts'
import type { Machine } from './order.ts'
import type { Trained, Workshop } from './epochs.ts'

interface Finishing extends Workshop {
  readonly machine: Machine
  readonly trained: Trained
  /** Where the report is being written. */
  readonly reportDir: string
}

interface Finished {
  readonly card: ModelCard
  readonly metrics: Record<string, number | null>
  readonly cases: CaseScores[]
}

/**
 * Scores the trained network and writes its folder: all of it beside the state of the training first, synced, then renamed to
 * where it belongs. Until then the training can be resumed; afterwards nothing of it is left.
 */
export async function finishModel(work: Finishing): Promise<Finished> {
  const { order, data, trainer, trained, pacer, folder, report, reportDir, machine, signal, warn } = work
  const { recipe, preset, settings } = order
  const { header } = trained
  const network = trainer.result
  const card = recipeCard({ ...work, network, header })
  const modelDir = path.join(folder, 'model')
  await rm(modelDir, { recursive: true, force: true })
  const written = await saveModel(modelDir, network, card)
  const scored = await scoreCases(
    { network, card: written },
    {
      ...{ recipe, settings, data, dataDir: order.dataDir, report, signal, warn },
      onProgress: (done, of) => {
        pacer.scoring(done, of)
      },
    },
  )
  const { cases, metrics, scoredOn } = scored
  const history = header.history.flatMap(({ loss, ...rest }) => (loss === null ? [] : [{ ...rest, loss }]))
  const seconds = history.at(-1)?.seconds ?? 0
  const split = data.cases.map(({ id, patient, part }) => ({ id, patient, part }))
  const { remarks } = data.report
  const left = [...data.report.left, ...scored.left]
  await report.finish({
    preset,
    settings,
    model: { id: written.id, name: written.name, createdAt: written.createdAt, parameters: written.parameters },
    scoredOn,
    metrics,
    history,
    bestEpoch: header.best?.epoch ?? null,
    split,
    left,
    remarks,
    machine: {
      backend: machine.backend,
      device: machine.device.name,
      threads: machine.threads,
      seed: order.seed,
      seconds,
      versions: { ...machine.versions },
    },
  })
  try {
    await rename(reportDir, path.join(modelDir, 'report'))
    const compared = order.compare.length === 0 ? null : compareReports(modelDir, order.compare)
    await compared?.catch((error: unknown) => {
      // A training is not lost for the sake of its report.
      warn(`No other model is shown in the report: ${toWireError(error).message}`)
    })
    const write = (name: string, content: unknown): Promise<void> =>
      writeFile(path.join(modelDir, name), `${JSON.stringify(content, null, 2)}\n`)
    await write('history.json', { recipe: recipe.name, preset, before: header.history[0] ?? null, epochs: history })
    await write('metrics.json', { recipe: recipe.name, preset, scoredOn, mean: metrics, cases })
    await write('cases.json', { recipe: recipe.name, seed: order.seed, cases: split, left, remarks })
    await write('settings.json', { recipe: recipe.name, preset, settings, limit: order.limit, seed: order.seed })
    await syncTree(modelDir)
    await rename(modelDir, order.outDir)
    await syncFolder(path.dirname(path.resolve(order.outDir)))
  } catch (error) {
    throw saveError(order.outDir, error)
  }
  await rm(folder, { recursive: true, force: true }).catch(() => undefined)
  pacer.event({ event: 'done', model: order.outDir, metrics, scoredOn, seconds })
  return { card: written, metrics, cases }
}

/** Everything in a folder is on the disk, names included. */
async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const name = path.join(folder, entry.name)
    if (entry.isDirectory()) {
      await syncTree(name)
      continue
    }
    const handle = await open(name, 'r+')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }
  await syncFolder(folder)
}
