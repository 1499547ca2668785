import { cp, mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import { writePng, writeVolume } from '../../imaging/index.ts'
import { Tallies } from '../annotation/tallies.ts'
import { storageError, systemCode } from '../errors.ts'
import { EventHub } from '../events.ts'
import { Models, readModelFolder } from '../models/models.ts'
import { Predictions } from '../prediction/predictions.ts'
import { Cases } from '../project/cases.ts'
import { Labels } from '../project/labels.ts'
import { createProject, projectExists, type Project } from '../project/project.ts'
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
  const target = resolve(dir)
  const making = join(dirname(target), `.${basename(target)}.making-${process.pid}`)
  try {
    await mkdir(dirname(target), { recursive: true })
    await makeRoom(target)
    await removeLeftOvers(dirname(target), `.${basename(target)}.making-`)
    const project = createProject(making, { name: 'Demo', isDemo: true })
    try {
      await fill(project, options)
    } finally {
      project.close()
    }
    await rename(making, target)
  } catch (error) {
    await rm(making, { recursive: true, force: true })
    throw storageError(error, target)
  }
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
    models.register(1, null, [])
  }
  new Settings(db).set('firstRun', true)
  await volumes.close()
}

/** An empty folder may become the project; anything else stays as it is. */
async function makeRoom(target: string): Promise<void> {
  if (projectExists(target)) {
    throw new CodedError('conflict', `"${basename(target)}" already holds a project; open it instead.`)
  }
  try {
    await rmdir(target)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return
    if (systemCode(error) !== 'ENOTEMPTY' && systemCode(error) !== 'EEXIST') throw error
    throw new CodedError('conflict', `"${basename(target)}" is not empty; choose another folder for the demo project.`)
  }
}

/** What a process that was killed while it made a demo left beside the target. */
async function removeLeftOvers(folder: string, prefix: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix) || isAlive(Number(name.slice(prefix.length)))) continue
    await rm(join(folder, name), { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  if (pid === process.pid || !Number.isInteger(pid)) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return systemCode(error) === 'EPERM'
  }
}
