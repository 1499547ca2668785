import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { initial } from '../project/migrations/0001-initial.ts'
import { anyImage } from '../project/migrations/0002-any-image.ts'
import { importedMasks } from '../project/migrations/0003-imported-masks.ts'
import { learning } from '../project/migrations/0004-learning.ts'
import { drawn } from '../project/migrations/0005-drawn.ts'
import { Database } from '../project/database.ts'
import { migrate } from '../project/migrations/index.ts'
import { openProject } from '../project/project.ts'
import { closeServices, createServices } from '../services.ts'
import { FakeCompute } from '../testing/fakeCompute.ts'
import { cleanUp, openWithCase, rectangle, temporaryFolder, type TestBackend } from '../testing/fixtures.ts'
import { drawBlock, predict, retrain, TRAIN } from '../testing/versions.ts'
import { trustedVoxels } from './trusted.ts'

afterEach(cleanUp)

const newSlices = async (test: TestBackend): Promise<number | undefined> =>
  (await test.call('project.get', {})).cases[0]?.newCorrectedSlices

/** One byte each of a slice of the fixture: within three pixels of one of these. */
const near = (...spots: (readonly [number, number])[]): number[] =>
  Array.from({ length: 48 }, (_, i) =>
    Number(spots.some(([x, y]) => (x - (i % 8)) ** 2 + (y - Math.floor(i / 8)) ** 2 <= 9)),
  )

describe('what teaches of a slice, changed after it was learned', () => {
  it('teaches anew, also where nothing was drawn since, back and forth', async () => {
    const test = await openWithCase()
    const { caseId } = test
    await drawBlock(test, caseId, 1)
    await retrain(test)
    expect(await newSlices(test)).toBe(0)
    for (const coverage of ['painted', 'whole'] as const) {
      await test.call('slice.coverage', { caseId, index: 1, coverage })
      expect(await newSlices(test), coverage).toBe(1)
      await retrain(test)
      expect(await newSlices(test), coverage).toBe(0)
    }
    // The next row of the journal has the number that the change before had to go beyond.
    await drawBlock(test, caseId, 2)
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 1, at: [0, 0], size: [1, 1], after: 2 }) })
    expect(await newSlices(test)).toBe(2)
    await retrain(test)
    await test.call('annotation.undo', { caseId })
    expect(await newSlices(test)).toBe(1)
    const sizes = test.compute.trained.map(({ samples }) => samples?.[0]?.trusted?.reduce((sum, one) => sum + one, 0))
    expect(sizes.slice(0, 3)).toEqual([undefined, expect.any(Number), undefined])
  })
})

describe('a slice where nothing was painted', () => {
  it('is no lesson where painted voxels teach, and does not keep others from being one', async () => {
    const test = await openWithCase()
    const { caseId } = test
    await drawBlock(test, caseId, 0)
    await retrain(test)
    await predict(test, caseId, 1)
    await test.call('slice.coverage', { caseId: null, index: null, coverage: 'painted' })
    const scope = { kind: 'slice', axis: 2, index: 1 } as const
    await test.call('annotation.accept', { caseId, scope, labels: null, keepCorrected: true })
    expect(await newSlices(test)).toBe(0)
    await retrain(test)
    expect(test.compute.trained.at(-1)?.samples?.map(({ index }) => index)).toEqual([0])
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 1, at: [7, 5], size: [1, 1], after: 2 }) })
    expect(await newSlices(test)).toBe(1)
    await retrain(test)
    expect(test.compute.trained.at(-1)?.samples?.map(({ index, role }) => [index, role])).toEqual([
      [1, 'corrected'],
      [0, 'replay'],
    ])
    await test.call('annotation.undo', { caseId })
    expect(await newSlices(test)).toBe(0)
    await test.call('slice.approve', { caseId, index: 1, region: null, approved: true })
    expect(await newSlices(test)).toBe(1)
  })

  it('counts as painted again when the prediction over it is taken back', async () => {
    const test = await openWithCase()
    const { caseId } = test
    await test.call('slice.coverage', { caseId: null, index: null, coverage: 'painted' })
    const paint = (index: number, at: [number, number], after: number) =>
      test.call('annotation.commit', { caseId, delta: rectangle({ index, at, size: [1, 1], after }) })
    await paint(0, [0, 0], 1)
    await retrain(test)
    await paint(0, [1, 0], 1)
    await test.call('annotation.undo', { caseId })
    await predict(test, caseId)
    const accept = { caseId, scope: { kind: 'volume' }, labels: null, keepCorrected: false } as const
    await test.call('annotation.accept', accept)
    const teaching = async () => (await test.call('train.start', TRAIN).catch(() => null)) !== null
    expect(await teaching()).toBe(false)
    await test.call('annotation.undo', { caseId })
    expect(await teaching()).toBe(true)
    await test.call('annotation.redo', { caseId })
    expect(await teaching()).toBe(false)
  })
})

describe('trustedVoxels', () => {
  it('leave out what was painted below a prediction, also after somebody drew on that, and follow every change', async () => {
    const test = await openWithCase()
    const { caseId } = test
    await test.call('slice.coverage', { caseId: null, index: null, coverage: 'painted' })
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 1, at: [0, 0], size: [1, 1], after: 2 }) })
    await retrain(test)
    await predict(test, caseId, 1)
    const accept = { caseId, scope: { kind: 'volume' }, labels: null, keepCorrected: false } as const
    await test.call('annotation.accept', accept)
    await test.backend.close()
    const project = openProject(test.dir)
    const services = createServices({ project, compute: new FakeCompute(), log: () => undefined })
    const look = async (): Promise<unknown> => {
      const parts = { ...services, db: project.db }
      const trusted = await services.masks.use(caseId, (mask) => trustedVoxels(parts, mask, [1]))
      const pixels = trusted.get(1) ?? 'none'
      return typeof pixels === 'string' ? pixels : [...pixels]
    }
    const draw = (at: [number, number]) =>
      services.annotations.commit(caseId, rectangle({ index: 1, at, size: [1, 1], after: 2 }), null)
    expect(await look()).toBe('none')
    await draw([7, 5])
    expect(await look()).toEqual(near([7, 5]))
    expect(await look(), 'asked again').toEqual(near([7, 5]))
    await draw([7, 0])
    expect(await look()).toEqual(near([7, 5], [7, 0]))
    await services.annotations.undo(caseId, null)
    expect(await look()).toEqual(near([7, 5]))
    await closeServices(services)
    project.close()
  })
})

describe('a project of before', () => {
  it('knows which slices were drawn on by hand, and since when', () => {
    const db = new Database(join(temporaryFolder(), 'x.sqlite'))
    const steps = [initial, anyImage, importedMasks, learning]
    migrate(db, 'x', steps)
    db.exec('PRAGMA foreign_keys = OFF')
    const row = (seq: number, kind: string, slices: string, counter: string, target: number | null = null): void => {
      db.run(
        `INSERT INTO journal VALUES (?, 'c', ?, ?, ?, 1, 2, ?, 0, '', 0, 0, 0, 1, 1, 1, ?, ?, x'', x'', NULL)`,
        ...[seq, seq, String(seq), kind, target, slices, counter],
      )
    }
    row(1, 'brush', '0-2,12', 'own')
    row(2, 'accept', '1,3-4', 'accepted')
    row(3, 'brush', '1', 'own')
    row(4, 'undo', '1', 'own', 3)
    row(5, 'brush', '4', 'crossing')
    row(6, 'undo', '4', 'crossing', 5)
    row(7, 'redo', '4', 'crossing', 5)
    row(8, 'accept', '5', 'own')
    row(9, 'delete-label', '', 'none')
    for (const slice of [0, 1, 2, 3, 4, 5, 12]) {
      const [own, crossing, accepted] = [Number([0, 1, 2, 5, 12].includes(slice)), Number(slice === 4), 0]
      db.run(
        `INSERT INTO slice_state (case_id, slice, own, crossing, accepted, painted, changed_seq) VALUES ('c', ?, ?, ?, ?, 1, 1)`,
        ...[slice, own, crossing, accepted + Number([1, 3, 4].includes(slice))],
      )
    }
    migrate(db, 'x', [...steps, drawn])
    const rows = db.all('SELECT slice, drawn, teaches FROM slice_state ORDER BY slice')
    expect(rows.map(({ slice, drawn: strokes, teaches }) => [slice, strokes, teaches])).toEqual([
      [0, 1, 1],
      [1, 0, 0],
      [2, 1, 1],
      [3, 0, 0],
      [4, 1, 1],
      [5, 0, 0],
      [12, 1, 1],
    ])
    db.close()
  })
})
