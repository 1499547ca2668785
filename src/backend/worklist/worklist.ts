import type { CaseDetail, CaseSummary } from '../../core/contract/caseSchemas.ts'
import { CodedError } from '../../core/contract/errors.ts'
import type { TileRegion } from '../../core/contract/schemas.ts'
import type { PlaneView } from '../../core/geometry/index.ts'
import { typeOf } from '../../imaging/index.ts'
import type { Tallies } from '../annotation/tallies.ts'
import type { Models } from '../models/models.ts'
import type { Predictions } from '../prediction/predictions.ts'
import type { CaseRecord } from '../project/cases.ts'
import { overviewOf, viewOfPicture } from '../slides/slides.ts'
import { networkLayout } from '../volume/computeSlices.ts'
import type { Thumbnail } from '../volume/thumbnail.ts'
import { Adding, type AddingParts, type AddOptions } from './adding.ts'
import { cautionsOf } from './cautions.ts'
import { plainSelection } from './selection.ts'

export interface WorklistParts extends AddingParts {
  readonly models: Models
  readonly predictions: Predictions
  readonly tallies: Tallies
}

/** What is the same for slides and for what is opened as a whole. */
type Shared = Pick<
  CaseDetail,
  keyof CaseSummary | 'sourcePath' | 'revision' | 'trainingAxis' | 'selection' | 'tiles' | 'cautionsSeen'
>

/** The images of a project: adding, opening, finding them again. */
export class Worklist {
  readonly #parts: WorklistParts
  readonly #adding: Adding

  constructor(parts: WorklistParts) {
    this.#parts = parts
    this.#adding = new Adding(parts)
  }

  /**
   * Puts an image on the worklist, whose voxels can still be arriving. The same bytes are the same case, wherever they lie; one that
   * was taken off comes back with its mask. Throws CodedError: `bad-file`, `file-missing`, `no-permission`.
   */
  async add(path: string, options: AddOptions = {}): Promise<CaseSummary> {
    return this.summary(await this.#adding.add(path, options))
  }

  /**
   * Makes a rectangle of a slide a case of its own. The same rectangle twice is one case. Throws CodedError('bad-request') for one that
   * does not lie inside.
   */
  async addRegion(caseId: string, region: TileRegion, signal?: AbortSignal): Promise<CaseSummary> {
    const { cases, volumes } = this.#parts
    const { tiles, name, selection, contentHash } = cases.get(caseId)
    const level = tiles?.levels[region.level]
    if (level === undefined || region.x + region.width > level.width || region.y + region.height > level.height) {
      throw new CodedError('bad-request', `This region does not lie inside "${name}"; draw it again.`)
    }
    const path = await volumes.locate(caseId)
    return this.add(path, {
      name: `${name} · region ${cases.countOfHash(contentHash)}`,
      selection: { ...selection, region },
      hash: contentHash,
      ...(signal === undefined ? {} : { signal }),
    })
  }

  summary(caseId: string): CaseSummary {
    const [summary] = this.#parts.cases.summaries(this.#parts.models.activeId(), caseId)
    if (summary === undefined) throw new CodedError('not-found', 'This case is not on the worklist any more.')
    return summary
  }

  summaries(): CaseSummary[] {
    return this.#parts.cases.summaries(this.#parts.models.activeId())
  }

  async detail(caseId: string): Promise<CaseDetail> {
    const { cases, volumes, looks } = this.#parts
    if (cases.get(caseId).kind === 'slide') return this.#slideDetail(caseId)
    // What was damaged may be whole by now: it is tried again.
    if (looks.damage(caseId) !== null) volumes.forget(caseId)
    return volumes.use(caseId, async (volume) => {
      const window = await looks.window(caseId)
      // Read now, since its place may be another since it was opened.
      const record = cases.get(caseId)
      if (record.range === null) looks.begin(caseId)
      const { min, max } = record.range ?? { min: window.low, max: window.high }
      const { tallies, predictions } = this.#parts
      const damage = looks.damage(caseId)
      return {
        ...this.#shared(record),
        spacing: volume.spacing,
        spacingKnown: volume.spacingKnown,
        affine: volume.affine,
        orientation: volume.orientation,
        voxelType: volume.voxelType,
        window: { center: (window.low + window.high) / 2, width: window.high - window.low },
        range: { min, max },
        warnings: [...volume.warnings, ...(damage === null ? [] : [damage])],
        cautions: cautionsOf(volume),
        ...tallies.marks(caseId),
        predicted: predictions.indices(caseId),
      }
    })
  }

  /** The user has seen the cautions. */
  acknowledge(caseId: string): void {
    const { cases } = this.#parts
    cases.get(caseId)
    cases.setCautionsSeen(caseId)
  }

  /**
   * From now on the image lies where the other of its two positions says. The mask stays as it is, voxel for voxel; predictions that were
   * made of another view of it are given up. Throws CodedError: `bad-request` where there is nothing to choose, `conflict` where slices
   * would lie across another axis than those that were annotated.
   */
  async useForm(caseId: string, affine: 'sform' | 'qform'): Promise<CaseDetail> {
    const { cases, volumes, project, looks, thumbnails } = this.#parts
    const record = cases.get(caseId)
    const before = await volumes.use(caseId, ({ info, affine: from, dims, spacing }) => ({
      info,
      layout: networkLayout(dims, from, spacing),
    }))
    if (before.info.disagreement === null) {
      throw new CodedError('bad-request', `The file of "${record.name}" states one position only.`)
    }
    if (before.info.disagreement.other !== affine) return this.detail(caseId)
    const selection = plainSelection({ ...record.selection, affine }, before.info)
    cases.setSelection(caseId, selection, record.trainingAxis)
    volumes.forget(caseId)
    try {
      const layout = await volumes.use(caseId, ({ affine: to, dims, spacing }) => networkLayout(dims, to, spacing))
      const turned = layout.sliceAxis !== record.trainingAxis
      if (turned && record.revision > 0) {
        throw new CodedError(
          'conflict',
          `By its ${affine}, the slices of "${record.name}" lie across another axis than those that were annotated; ` +
            `make a copy of the file that states its ${affine} alone, and annotate that.`,
        )
      }
      project.db.transaction(() => {
        cases.setSelection(caseId, selection, layout.sliceAxis)
        // What was saved lies where the image lay then.
        cases.setUnsaved(caseId)
        if (isSameView(layout, before.layout)) return
        this.#parts.predictions.forget(caseId)
        thumbnails.forget(caseId)
      })
    } catch (error) {
      cases.setSelection(caseId, record.selection, record.trainingAxis)
      volumes.forget(caseId)
      throw error
    }
    looks.forget(caseId)
    return this.detail(caseId)
  }

  /** The image moved: `path` must hold the same bytes. Throws CodedError('conflict') where it does not. */
  async relocate(caseId: string, path: string): Promise<CaseSummary> {
    await this.#adding.relocate(caseId, path)
    return this.summary(caseId)
  }

  async thumbnail(caseId: string): Promise<Thumbnail> {
    const { thumbnails, volumes, looks, cases } = this.#parts
    const known = thumbnails.find(caseId)
    if (known !== null) return known
    if (cases.get(caseId).kind === 'slide') return this.#slideThumbnail(caseId)
    const window = await looks.window(caseId)
    // The first look makes one on its way.
    const made = thumbnails.find(caseId)
    if (made !== null) return made
    return volumes.use(caseId, async (volume, signal) => {
      const layout = networkLayout(volume.dims, volume.affine, volume.spacing)
      const samples = await volume.voxels.slice(layout.sliceAxis, Math.floor(layout.slices / 2), { signal })
      return thumbnails.make(caseId, { ...volume, samples }, layout, window)
    })
  }

  async #slideThumbnail(caseId: string): Promise<Thumbnail> {
    const overview = await this.#parts.slides.use(caseId, (image, signal) => overviewOf(image, signal))
    return this.#parts.thumbnails.make(caseId, overview, viewOfPicture(overview), overview.range)
  }

  #shared(record: CaseRecord): Shared {
    const { path, revision, trainingAxis, selection, tiles, cautionsSeen } = record
    return {
      ...this.summary(record.id),
      sourcePath: this.#parts.project.resolvedPath(path),
      revision,
      trainingAxis,
      selection,
      tiles,
      cautionsSeen,
    }
  }

  async #slideDetail(caseId: string): Promise<CaseDetail> {
    const { cases, slides } = this.#parts
    return slides.use(caseId, async (image, signal) => {
      const record = cases.get(caseId)
      const { info, levels } = image
      const { data } = await image.tile(levels.length - 1, 0, 0, { signal })
      const range = record.range ?? { low: 0, high: 255, min: 0, max: 255 }
      return {
        ...this.#shared(record),
        spacing: info.spacing,
        spacingKnown: info.spacingKnown,
        affine: null,
        orientation: null,
        voxelType: typeOf(data),
        window: { center: (range.low + range.high) / 2, width: range.high - range.low },
        range: { min: range.min, max: range.max },
        warnings: [...info.warnings],
        cautions: [],
        ...{ corrected: [], predicted: [], approved: [], painted: [] },
      }
    })
  }
}

/** Do the network's slices show the same, in the same order of rows and columns? */
function isSameView(a: PlaneView, b: PlaneView): boolean {
  return (
    a.sliceAxis === b.sliceAxis &&
    a.columnAxis === b.columnAxis &&
    a.flipColumns === b.flipColumns &&
    a.flipRows === b.flipRows
  )
}
