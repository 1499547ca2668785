import { totalmem } from 'node:os'
import { Annotations } from './annotation/annotations.ts'
import { Journal } from './annotation/journal.ts'
import { Masks } from './annotation/masks.ts'
import { Snapshots } from './annotation/snapshots.ts'
import { Tallies } from './annotation/tallies.ts'
import { Examiner } from './compute/examiner.ts'
import type { ComputePort } from './compute/port.ts'
import { EventHub } from './events.ts'
import { Datasets } from './export/datasets.ts'
import { FileRegistry } from './files/registry.ts'
import { UploadedFolders } from './files/uploadedFolders.ts'
import { Uploads } from './files/uploads.ts'
import { Jobs } from './jobs/jobs.ts'
import { Lane } from './jobs/lane.ts'
import { Holdout } from './models/holdout.ts'
import { Importer } from './models/importer.ts'
import { Judgements } from './models/judgements.ts'
import { Models } from './models/models.ts'
import { Promotion } from './models/promotion.ts'
import { News } from './news.ts'
import { Predictions } from './prediction/predictions.ts'
import { Predictor } from './prediction/predictor.ts'
import { Cases } from './project/cases.ts'
import { Labels } from './project/labels.ts'
import type { Project } from './project/project.ts'
import { Settings } from './project/settings.ts'
import { coverageOf } from './review/coverage.ts'
import { Examined } from './review/examined.ts'
import { ReviewQueue } from './review/queue.ts'
import { Ranker } from './review/ranker.ts'
import { Slides } from './slides/slides.ts'
import { Checks } from './recipes/checks.ts'
import { Choices } from './recipes/choices.ts'
import { RecipeTrainer } from './recipes/recipeTrainer.ts'
import { Live, type LivePace } from './training/live.ts'
import { Stream } from './training/stream.ts'
import { Trainer } from './training/trainer.ts'
import { imageAccess, type ImageAccess } from './volume/access.ts'
import { Looks } from './volume/looks.ts'
import { Thumbnails } from './volume/thumbnail.ts'
import { Volumes } from './volume/volumes.ts'
import { Worklist } from './worklist/worklist.ts'

/** A snapshot of the mask follows this long after the last stroke. */
const SNAPSHOT_QUIET_MS = 4000

/** A new version is shown first, and the user has begun what comes next: only then are slices ranked by themselves. */
const RANK_QUIET_MS = 3000

export type Services = ReturnType<typeof createServices>

/** Wires the parts of the backend over one open project. Nothing here does work of its own. */
export function createServices(options: {
  project: Project
  compute: ComputePort
  log: (line: string) => void
  access?: Partial<ImageAccess>
  livePace?: Partial<LivePace> | undefined
}) {
  const { project, compute, log } = options
  const access = { ...imageAccess, ...options.access }
  const { db, folders } = project
  const memory = totalmem()
  const events = new EventHub(log)
  const settings = new Settings(db)
  const labels = new Labels(db)
  const cases = new Cases(db)
  const journal = new Journal(db)
  const tallies = new Tallies(db)
  const predictions = new Predictions(db, cases)
  const models = new Models(db, folders.models)
  const judgements = new Judgements(db)
  const holdout = new Holdout({ db, cases, models })
  const news = new News(events, tallies, predictions)
  const touched = (): void => news.projectChanged()
  const slicesChanged = (caseId: string): void => news.slicesChanged(caseId)

  const volumes = new Volumes({ project, cases, access, missingChanged: touched })
  const thumbnails = new Thumbnails(db)
  const looks = new Looks({ cases, volumes, thumbnails, events })
  const slides = new Slides({ cases, locate: (...of) => volumes.locate(...of), open: access.openTiled })
  const image = (caseId: string): ReturnType<Volumes['header']> => volumes.header(caseId)
  const snapshots = new Snapshots({ project, cases, image, quietMs: SNAPSHOT_QUIET_MS, log })
  const readSnapshot: Snapshots['read'] = (caseId, dims) => snapshots.read(caseId, dims)
  const masks = new Masks({ cases, journal, readSnapshot, budget: Math.min(2 ** 29, memory / 8) })
  snapshots.connect(masks)
  const annotations = new Annotations({
    db,
    cases,
    labels,
    journal,
    tallies,
    masks,
    snapshots,
    events,
    touched,
    slicesChanged,
    coverage: () => coverageOf(settings),
  })
  const worklist = new Worklist({
    project,
    cases,
    volumes,
    slides,
    access,
    thumbnails,
    looks,
    models,
    predictions,
    tallies,
  })
  news.connect(worklist)

  const jobs = new Jobs(db, events, log)
  const lane = new Lane()
  const examiner = new Examiner({ compute, jobs, lane })
  const versions = { models, judgements, holdout }
  const images = { project, cases, labels, volumes, looks, predictions, masks }
  const promotion = new Promotion({ db, ...images, ...versions, jobs, lane, compute, events, touched })
  const shared = { ...images, ...versions, promotion, jobs, lane, compute, events }
  const predictor = new Predictor({ ...shared, touched, slicesChanged })
  const examined = new Examined(db)
  const queue = new ReviewQueue({ db, events, examined })
  const ranker = new Ranker({ ...shared, db, examined, queue, quietMs: RANK_QUIET_MS, log })
  const trainer = new Trainer({ ...shared, journal, predictor, log })
  const stream = new Stream({ ...shared, log })
  const livePace = options.livePace
  const giveWay = (): Promise<void> => ranker.giveWay()
  const teaching = { ...shared, db, journal, stream, predictor, touched, slicesChanged }
  const live = new Live({ ...teaching, giveWay, pace: livePace, log })
  const importer = new Importer({ compute, models, labels, lane })
  const datasets = new Datasets({ ...shared, tallies, touched })
  const files = new FileRegistry()
  const choices = new Choices({ project, settings, files })
  const checks = new Checks(shared)
  const recipeTrainer = new RecipeTrainer({ ...shared, choices, log })
  const uploads = new Uploads(folders.images, new UploadedFolders({ project, cases, settings }), files)
  return {
    ...shared,
    slides,
    settings,
    journal,
    tallies,
    snapshots,
    annotations,
    worklist,
    news,
    predictor,
    trainer,
    stream,
    live,
    queue,
    ranker,
    examiner,
    importer,
    datasets,
    files,
    choices,
    checks,
    recipeTrainer,
    uploads,
    log,
  }
}

/**
 * Ends jobs, also those of `others`, writes what waits to be written, ends compute, and releases the project; `quiet` ends
 * what is told of them.
 */
export async function closeServices(
  services: Services,
  quiet: () => void = () => undefined,
  others: readonly { stop(): Promise<void> }[] = [],
): Promise<void> {
  const { trainer, stream, live, recipeTrainer, checks, predictor, datasets, promotion, ranker } = services
  const { jobs, uploads, snapshots, news, volumes, slides, looks, compute, project, log } = services
  const step = async (name: string, work: () => unknown): Promise<void> => {
    try {
      await work()
    } catch (error) {
      log(`closing: ${name}: ${String(error)}`)
    }
  }
  const working = [trainer, recipeTrainer, checks, predictor, datasets, promotion, ranker, ...others]
  const jobsEnded = Promise.all(working.map((one) => one.stop()))
  // Looked at once compute has closed; until then a failure is nobody's.
  jobsEnded.catch(() => undefined)
  // Before compute ends, since what it learned can be kept only as long as there is one; the jobs leave it their turn.
  await step('live', () => live.stop())
  stream.close()
  quiet()
  looks.close()
  // Ends calls in flight too, so that the jobs do not wait for a slow step.
  await step('compute', () => compute.close())
  await step('jobs', () => jobsEnded)
  await step('job records', () => jobs.close())
  await step('uploads', () => uploads.close())
  await step('snapshots', () => snapshots.flush())
  await step('images', () => Promise.all([volumes.close(), slides.close()]))
  await step('news', () => news.close())
  await step('project', () => project.close())
}
