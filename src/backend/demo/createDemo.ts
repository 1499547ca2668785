import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { writePng, writeVolume } from '../../imaging/index.ts'
import { Tallies } from '../annotation/tallies.ts'
import { EventHub } from '../events.ts'
import { readModelFolder } from '../models/folder.ts'
import { Models } from '../models/models.ts'
import { Predictions } from '../prediction/predictions.ts'
import { Cases } from '../project/cases.ts'
import { Labels } from '../project/labels.ts'
import { makeProject } from '../project/making.ts'
import type { Project } from '../project/project.ts'
import { Settings } from '../project/settings.ts'
import { Slides } from '../slides/slides.ts'
import { imageAccess } from '../volume/access.ts'
import { Looks } from '../volume/looks.ts'
import { Thumbnails } from '../volume/thumbnail.ts'
import { Volumes } from '../volume/volumes.ts'
import { Worklist } from '../worklist/worklist.ts'
import { generateCtCase } from './phantomCt.ts'
import { generateNucleiCase } from './phantomNuclei.ts'
import { DEMO_LABELS, DEMO_SEEDS } from './seeds.ts'

export interface DemoOptions {
  /** The shipped model, copied as version 1; null: a demo without a model. */
  readonly modelDir: string | null
}

/**
 * Makes the demo project in `dir`: CT-like abdomens and microscopy-like nuclei that are generated here, their labels,
 * and the small model that was trained for them. It appears under its name only when it is whole.
 * Throws CodedError('conflict') where `dir` holds something already, and what the disk says.
 */
export async function createDemoProject(dir: string, options: DemoOptions): Promise<void> {
  await makeProject(dir, { name: 'Demo', isDemo: true }, (project) => fill(project, options))
}

async function fill(project: Project, { modelDir }: DemoOptions): Promise<void> {
  const { db, folders } = project
  const labels = new Labels(db)
  for (const { name } of DEMO_LABELS) labels.add(name, null)
  const cases = new Cases(db)
  const models = new Models(db, folders.models)
  // One image at a time.
  const access = { ...imageAccess, budget: 0 }
  const volumes = new Volumes({ project, cases, access, missingChanged: () => undefined })
  const thumbnails = new Thumbnails(db)
  const worklist = new Worklist({
    project,
    cases,
    volumes,
    slides: new Slides({ cases, locate: (...of) => volumes.locate(...of), open: access.openTiled }),
    access,
    thumbnails,
    looks: new Looks({ cases, volumes, thumbnails, events: new EventHub(() => undefined) }),
    models,
    predictions: new Predictions(db, cases),
    tallies: new Tallies(db),
  })
  for (const [n, seed] of DEMO_SEEDS.ct.entries()) {
    const letter = String.fromCharCode(65 + n)
    const path = join(folders.images, `ct-abdomen-${letter.toLowerCase()}.nii.gz`)
    const { dims, affine, data } = generateCtCase(seed)
    await writeVolume(path, { dims, affine, data: new Int16Array(data), description: 'Maskwright demo phantom' })
    const added = await worklist.add(path, { name: `CT abdomen ${letter}` })
    if (n === 0) new Settings(db).set('.lastCase', added.id)
  }
  for (const [n, seed] of DEMO_SEEDS.nuclei.entries()) {
    const path = join(folders.images, `nuclei-${n + 1}.png`)
    await writePng(path, generateNucleiCase(seed))
    await worklist.add(path, { name: `Nuclei ${n + 1}` })
  }
  if (modelDir !== null) {
    readModelFolder(modelDir)
    await cp(modelDir, models.dirOf(1), { recursive: true })
    models.register(1, 'shipped')
  }
  new Settings(db).set('firstRun', true)
  await volumes.close()
}
