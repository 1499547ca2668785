import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { CodedError } from '../../core/contract/errors.ts'
import { writeVolume } from '../../imaging/index.ts'
import { FakeCompute } from '../testing/fakeCompute.ts'
import {
  cleanUp,
  DIMS,
  emptyProject,
  jobEnd,
  LPS,
  openBackend,
  rectangle,
  temporaryFolder,
  volumeData,
  type TestBackend,
} from '../testing/fixtures.ts'
import { SlowImages, type SlowStore } from '../testing/slowImages.ts'

afterEach(cleanUp)

/** A volume whose second half is twice as bright, so that a slice of the first tells little of the whole. */
async function volumeFile(seed = 0): Promise<string> {
  const path = join(temporaryFolder(), `arriving-${seed}.nii`)
  const data = volumeData(DIMS, seed).map((value, i) => (i < 3 * 48 ? value : 2 * value))
  await writeVolume(path, { dims: DIMS, affine: LPS, data })
  return path
}

const add = (test: TestBackend, path: string) =>
  test.call('case.add', { fileId: test.backend.registerFile(path, 'open').id })

/** A backend for which every image is large, and slow. */
async function slowBackend(options: { dir?: string; there?: number; budget?: number } = {}) {
  const images = new SlowImages()
  images.there = options.there ?? 0
  const access = { readImage: images.readImage, readAtOnce: 0, budget: options.budget ?? 2 ** 30 }
  const test = await openBackend(options.dir ?? emptyProject(), new FakeCompute(), access)
  const opened = (n: number): SlowStore => {
    const store = images.opened[n]
    if (store === undefined) throw new Error(`only ${images.opened.length} images were opened`)
    return store
  }
  return { ...test, images, opened }
}

/** Has the promise been answered by now? */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const later = new Promise((resolve) => setTimeout(resolve, 20, 'later'))
  return (await Promise.race([promise.catch(() => 'failed'), later])) === 'later'
}

describe('an image whose voxels still arrive', () => {
  it('is on the list at once, and shows a slice before the rest is there', async () => {
    const test = await slowBackend()
    const added = await add(test, await volumeFile())
    expect(added).toMatchObject({ name: 'arriving-0', dims: DIMS, status: 'untouched', missing: false })
    const opening = test.call('case.open', { caseId: added.id })
    const thumbnail = test.call('case.thumbnail', { caseId: added.id })
    const last = test.call('volume.slice', { caseId: added.id, axis: 2, index: 4 })
    expect(await isPending(opening)).toBe(true)
    test.opened(0).arrive(3)
    const detail = await opening
    expect(detail.window.width).toBeGreaterThan(90)
    expect(detail.window.width).toBeLessThan(110)
    expect((await thumbnail).width).toBe(8)
    const middle = await test.call('volume.slice', { caseId: added.id, axis: 2, index: 2 })
    expect(new Int16Array(middle.data.slice().buffer)[2 + 8]).toBe(100)
    expect(await isPending(last)).toBe(true)
    test.opened(0).arrive(5)
    expect(new Int16Array((await last).data.slice().buffer)[2 + 8]).toBe(200)
    // What the rest turned out to be changes nothing in how it is shown, now or after a restart.
    await expect.poll(async () => (await test.call('case.open', { caseId: added.id })).range.max).toBe(200)
    expect((await test.call('case.open', { caseId: added.id })).window).toEqual(detail.window)
    await test.backend.close()
    const again = await openBackend(test.dir)
    const reopened = await again.call('case.open', { caseId: added.id })
    expect([reopened.window, reopened.range]).toEqual([detail.window, { min: 0, max: 200 }])
  })

  it('is predicted when its last voxel is there, with the range of all of them', async () => {
    const test = await slowBackend({ there: 3 })
    const model = await test.call('labels.add', { name: 'Bright', color: null })
    expect(model.value).toBe(1)
    const { id: caseId } = await add(test, await volumeFile())
    const delta = rectangle({ index: 1, at: [2, 1], size: [3, 3], after: 1 })
    await test.call('annotation.commit', { caseId, delta })
    const training = await test.call('train.start', { steps: 1, seconds: 1, seed: 0, show: null })
    await expect.poll(async () => (await test.call('project.get', {})).jobs[0]?.state).toBe('running')
    expect(test.compute.trained).toEqual([])
    test.opened(0).arrive(5)
    expect(await jobEnd(test, training.id)).toMatchObject({ state: 'done' })
    expect(test.compute.trained[0]?.samples?.[0]?.high).toBeGreaterThan(150)
    const second = await add(test, await volumeFile(7))
    const job = await test.call('predict.start', { caseId: second.id, index: 1 })
    await expect
      .poll(async () => (await test.call('project.get', {})).jobs.find(({ id }) => id === job.id)?.message)
      .toBe('reading the image…')
    expect(test.compute.predicted).toEqual([])
    test.opened(1).arrive(5)
    expect(await jobEnd(test, job.id)).toMatchObject({ state: 'done' })
    expect(test.compute.predicted[0]?.slices[0]?.high).toBeGreaterThan(150)
  })

  it('that is cancelled, removed or left by closing the project is closed, and never while it is read', async () => {
    const test = await slowBackend({ there: 3 })
    const first = await add(test, await volumeFile(1))
    const second = await add(test, await volumeFile(2))
    const slice = test.call('volume.slice', { caseId: first.id, axis: 0, index: 1 })
    await isPending(slice)
    await test.call('case.remove', { caseId: first.id })
    await expect(slice).rejects.toMatchObject({ code: 'cancelled' })
    await expect.poll(() => test.opened(0).closed).toBe(true)
    const other = test.call('volume.slice', { caseId: second.id, axis: 0, index: 1 })
    await isPending(other)
    const answered = expect(other).rejects.toMatchObject({ code: 'cancelled' })
    await test.backend.close()
    await answered
    expect(test.images.opened.every(({ closed, waiting }) => closed && waiting === 0)).toBe(true)
  })

  it('is closed when others need the room, but not while somebody waits for a slice of it', async () => {
    const bytes = DIMS[0] * DIMS[1] * DIMS[2] * 2
    const test = await slowBackend({ there: 5, budget: 1.5 * bytes })
    const [a, b] = [await add(test, await volumeFile(1)), await add(test, await volumeFile(2))]
    await expect.poll(() => test.opened(0).closed).toBe(true)
    expect(test.opened(1).closed).toBe(false)
    // Opened again, it takes the room of the other.
    test.images.there = 0
    const slice = test.call('volume.slice', { caseId: a.id, axis: 2, index: 4 })
    await expect.poll(() => test.images.opened.length).toBe(3)
    await expect.poll(() => test.opened(1).closed).toBe(true)
    test.images.there = 5
    await test.call('volume.slice', { caseId: b.id, axis: 2, index: 0 })
    expect([test.opened(2).closed, test.opened(3).closed]).toEqual([false, true])
    test.opened(2).arrive(5)
    await slice
    expect(test.opened(2).closed).toBe(false)
  })

  it('goes on where it was when the process ended half-way', async () => {
    const test = await slowBackend({ there: 3 })
    const { id: caseId } = await add(test, await volumeFile())
    const { window } = await test.call('case.open', { caseId })
    await test.backend.close()
    const again = await slowBackend({ dir: test.dir, there: 0 })
    const opening = again.call('case.open', { caseId })
    // The window is known, so nothing need be there.
    expect((await opening).window).toEqual(window)
    again.opened(0).arrive(5)
    await expect.poll(async () => (await again.call('case.open', { caseId })).range.max).toBe(200)
  })

  it('tells of damage further on, and still shows what is before it', async () => {
    const test = await slowBackend({ there: 3 })
    const { id: caseId } = await add(test, await volumeFile())
    const sentence = 'arriving-0.nii ends too early; get the file again from where it came from.'
    test.opened(0).fail(new CodedError('bad-file', sentence))
    await expect.poll(() => test.told('notice')).toEqual([{ level: 'error', message: sentence }])
    const damaged = test.call('volume.slice', { caseId, axis: 2, index: 4 })
    await expect(damaged).rejects.toMatchObject({ code: 'bad-file', message: sentence })
    await test.call('volume.slice', { caseId, axis: 2, index: 2 })
    // Opened again it is tried again, and is whole this time: it can be learned from.
    test.images.there = 5
    await expect.poll(async () => (await test.call('case.open', { caseId })).warnings).toEqual([])
    await test.call('labels.add', { name: 'Bright', color: null })
    const delta = rectangle({ index: 1, at: [2, 1], size: [3, 3], after: 1 })
    await test.call('annotation.commit', { caseId, delta })
    const training = await test.call('train.start', { steps: 1, seconds: 1, seed: 0, show: null })
    expect(await jobEnd(test, training.id)).toMatchObject({ state: 'done' })
    // Damaged again, for a case that is not ready: the prediction says so.
    test.images.there = 3
    const other = await add(test, await volumeFile(9))
    const job = await test.call('predict.start', { caseId: other.id, index: 1 })
    test.images.opened.at(-1)?.fail(new CodedError('bad-file', sentence))
    expect(await jobEnd(test, job.id)).toMatchObject({
      state: 'failed',
      error: { code: 'bad-file', message: sentence },
    })
  })
})

describe('a file that is damaged further on', () => {
  it.each(['nii', 'nii.gz'])(
    'as .%s is on the list with a sentence, and can be looked at up to there',
    async (ending) => {
      const dims: [number, number, number] = [64, 64, 1300]
      const whole = join(temporaryFolder(), `whole.nii.gz`)
      // Noise, which no compression shortens, so that half of the file is half of the slices.
      let state = 1
      const data = Int16Array.from({ length: 64 * 64 * 1300 }, () => (state = (state * 48271) % 2147483647) & 0xfff)
      await writeVolume(whole, { dims, affine: LPS, data })
      const bytes = readFileSync(whole)
      const path = join(temporaryFolder(), `damaged.${ending}`)
      const start = bytes.subarray(0, Math.round(bytes.length * 0.75))
      if (ending === 'nii.gz') writeFileSync(path, start)
      else {
        // Plain files are measured before they are opened, so this one is damaged inside its stream.
        const broken = Buffer.from(bytes)
        broken.fill(0xff, start.length, start.length + 4000)
        writeFileSync(path, broken)
        expect(() => gunzipSync(broken)).toThrow()
      }
      const test = await openBackend(emptyProject(), new FakeCompute(), { readAtOnce: 0 })
      const { id: caseId } = await add(test, path)
      await expect.poll(() => test.told('notice')[0]?.message).toContain(`damaged.${ending}`)
      const detail = await test.call('case.open', { caseId })
      expect(detail.warnings.join()).toContain(`damaged.${ending}`)
      const slice = await test.call('volume.slice', { caseId, axis: 2, index: 10 })
      expect(new Int16Array(slice.data.slice().buffer)[5]).toBe(data[10 * 4096 + 5])
      const beyond = test.call('volume.slice', { caseId, axis: 2, index: 1299 })
      await expect(beyond).rejects.toMatchObject({ code: 'bad-file' })
      await expect(test.call('volume.slice', { caseId, axis: 2, index: 1299 })).rejects.toThrow(`damaged.${ending}`)
      await test.backend.close()
      const again = await openBackend(test.dir, new FakeCompute(), { readAtOnce: 0 })
      expect((await again.call('case.open', { caseId })).name).toBe('damaged')
    },
  )
})
