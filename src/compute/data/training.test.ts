import { createHash } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { augmentationSettingsSchema } from '../../core/contract/recipes.ts'
import { temporaryFolder } from '../../imaging/testing/folders.ts'
import { augmentationSheet, checkData, openTrainingData } from './index.ts'
import { borders, diskFolder, orderFor, picture, volumeFolder } from './testing/folders.ts'
import type { BatchOptions, BatchStream, RecipeBatch } from '../recipes/types.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let disks = ''
let volumes = ''
const at = (...names: string[]): string => path.join(folder.path, ...names)
beforeAll(async () => {
  folder = await temporaryFolder()
  disks = at('disks')
  volumes = at('volumes')
  await diskFolder(disks, 12)
  await volumeFolder(volumes, 6)
})
afterAll(() => folder.remove())

const augmentation = augmentationSettingsSchema.parse({
  ...{ flip: 'both', rotate: 20, zoom: [0.8, 1.2], noise: 0.1, blur: 1, gamma: [0.8, 1.2] },
  elastic: { grid: 3, sigma: 3, share: 0.5 },
})
const options = (change: Partial<BatchOptions> = {}): BatchOptions => ({
  ...{ seed: 3, epoch: 1, steps: 4, batch: 3, patch: 32, step: 4, margin: 0, foreground: 0.5, augmentation },
  ...change,
})

async function all(stream: BatchStream): Promise<RecipeBatch[]> {
  const batches: RecipeBatch[] = []
  for (let batch = await stream.next(); batch !== null; batch = await stream.next()) batches.push(batch)
  await stream.close()
  return batches
}

const digest = (batches: readonly RecipeBatch[]): string => {
  const hash = createHash('sha256')
  for (const { images, classes, weights } of batches) {
    for (const part of [images, classes, weights]) {
      if (part !== null) hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength))
    }
  }
  return hash.digest('hex')
}

describe('openTrainingData', () => {
  it('tells of every case, its part and its shares', async () => {
    const data = await openTrainingData(orderFor(disks))
    const parts = data.cases.map(({ part }) => part)
    expect(parts.filter((part) => part === 'holdout')).toHaveLength(4)
    expect(parts.filter((part) => part === 'validation')).toHaveLength(1)
    expect(data.report.cases[0]).toMatchObject({ id: 'case00', width: 48, height: 48, slices: 1, channels: 1 })
    expect(data.report.cases[0]?.shares['1']).toBeGreaterThan(0.02)
    expect(data).toMatchObject({ channels: 1, outputChannels: 2, labels: [{ value: 1, name: 'Disk' }] })
    expect(data.slices('train')).toHaveLength(7)
    expect(data.batchesPerEpoch({ batch: 3, patch: 32 })).toBe(Math.ceil((7 * 4) / 3))
    expect(data.batchesPerEpoch({ batch: 3, patch: null })).toBe(3)
    await data.close()
  })

  it('gives slices as the network takes them, and the truth as the files have it', async () => {
    const data = await openTrainingData(orderFor(disks))
    const [ref] = data.slices('holdout')
    if (ref === undefined) throw new Error('nothing is held out')
    const slice = await data.slice(ref)
    const { labels, objects } = await data.truth(ref.caseId)
    expect([...slice.classes]).toEqual([...labels])
    expect(objects).toBeNull()
    const mean = slice.image.reduce((sum, x) => sum + x, 0) / slice.image.length
    expect(Math.abs(mean)).toBeLessThan(1e-4)
    await data.close()
  })

  it('draws the same batches in threads, in whatever order epochs are asked for, and others for another epoch', async () => {
    const here = await openTrainingData(orderFor(disks), { workers: 0 })
    const first = digest(await all(here.batches(options())))
    const second = digest(await all(here.batches(options({ epoch: 2 }))))
    expect(second).not.toBe(first)
    expect(digest(await all(here.batches(options({ seed: 4 }))))).not.toBe(first)
    await here.close()
    for (const workers of [1, 2]) {
      const threads = await openTrainingData(orderFor(disks), { workers })
      expect(digest(await all(threads.batches(options({ epoch: 2 }))))).toBe(second)
      expect(digest(await all(threads.batches(options())))).toBe(first)
      await threads.close()
    }
  })

  it('never opens a file that is held out, nor one for validation, to draw batches', async () => {
    const dir = at('guarded')
    await diskFolder(dir, 12)
    const data = await openTrainingData(orderFor(dir), { workers: 1 })
    // Without them, an attempt would fail.
    const others = data.cases.filter(({ part }) => part !== 'train')
    expect(others).toHaveLength(5)
    for (const { image, masks } of others) for (const file of [image, ...masks]) await rm(file)
    const batches = await all(data.batches(options({ steps: 20 })))
    expect(batches).toHaveLength(20)
    await data.close()
  })

  it('says which file went away while it was read, in threads too', async () => {
    const dir = at('vanishing')
    await diskFolder(dir, 4)
    const data = await openTrainingData(orderFor(dir), { workers: 1 })
    await rm(path.join(dir, 'images'), { recursive: true })
    await expect(all(data.batches(options()))).rejects.toMatchObject({ code: 'file-missing' })
    await data.close()
  })

  it('gives nothing after it was closed, and ends its threads', async () => {
    const data = await openTrainingData(orderFor(disks), { workers: 1 })
    const stream = data.batches(options({ steps: 1000 }))
    expect(await stream.next()).not.toBeNull()
    await stream.close()
    expect(await stream.next()).toBeNull()
    const open = data.batches(options({ steps: 1000 }))
    const waiting = [open.next(), open.next(), open.next(), open.next(), open.next()]
    await Promise.all([data.close(), ...waiting.map((each) => each.catch(() => undefined))])
  })

  it('fills patches around each class as often as it is asked', async () => {
    const data = await openTrainingData(orderFor(disks), { workers: 0 })
    const still = augmentationSettingsSchema.parse({})
    const having = async (foreground: number) => {
      const batches = await all(data.batches(options({ steps: 20, patch: 16, foreground, augmentation: still })))
      const patches = batches.flatMap(({ classes, count }) =>
        Array.from({ length: count }, (_, i) => classes.subarray(i * 256, (i + 1) * 256).includes(1)),
      )
      return patches.filter(Boolean).length / patches.length
    }
    expect(await having(1)).toBe(1)
    expect(await having(0)).toBeLessThan(0.9)
    await data.close()
  })

  it('gives whole pictures, padded by mirroring, and less truth where convolutions are valid', async () => {
    const dir = at('sizes')
    for (const [name, width, height] of [
      ['a', 20, 10],
      ['b', 17, 13],
    ] as const) {
      await picture(path.join(dir, 'images', `${name}.png`), width, height, (x) => 10 * x)
      await picture(path.join(dir, 'masks', `${name}.png`), width, height, (x) => (x < 5 ? 255 : 0))
    }
    const order = orderFor(dir)
    order.settings.split = { ...order.settings.split, holdout: 0, validation: 0 }
    const data = await openTrainingData(order, { workers: 0 })
    const still = augmentationSettingsSchema.parse({})
    const whole = options({ steps: 1, batch: 2, patch: null, step: 8, augmentation: still })
    const [batch] = await all(data.batches(whole))
    expect(batch).toMatchObject({ count: 2, width: 24, height: 16, outWidth: 24, outHeight: 16 })
    const [valid] = await all(data.batches(options({ steps: 1, batch: 2, patch: 30, margin: 9, augmentation: still })))
    expect(valid).toMatchObject({ width: 30, height: 30, outWidth: 12, outHeight: 12 })
    expect(valid?.classes).toHaveLength(2 * 144)
    await data.close()
  })

  it('keeps little where little may be kept, and draws the same', async () => {
    const roomy = await openTrainingData(orderFor(disks), { workers: 0 })
    const tight = await openTrainingData(orderFor(disks), { workers: 0, cacheBytes: 1 })
    expect(digest(await all(tight.batches(options())))).toBe(digest(await all(roomy.batches(options()))))
    await Promise.all([roomy.close(), tight.close()])
  })

  it('leaves out what cannot be read or does not fit, says so, and goes on', async () => {
    const dir = at('damaged')
    await diskFolder(dir, 8)
    await writeFile(path.join(dir, 'images', 'case01.png'), 'this is no picture')
    await picture(path.join(dir, 'masks', 'case02.png'), 30, 48)
    await writeFile(path.join(dir, 'masks', 'case03.png'), '')
    await rm(path.join(dir, 'masks', 'case04.png'))
    const report = await checkData({ ...orderFor(dir), thumbnails: 3 })
    expect(report.cases).toHaveLength(4)
    const reasons = Object.fromEntries(report.left.map(({ file, reason }) => [path.basename(file), reason]))
    expect(Object.keys(reasons).sort()).toEqual(['case01.png', 'case02.png', 'case03.png', 'case04.png'])
    const folders = report.left.map(({ file }) => path.basename(path.dirname(file)))
    // What merely has no partner comes last.
    expect(folders).toEqual(['images', 'masks', 'masks', 'images'])
    expect(reasons['case02.png']).toMatch(/30 x 48.*48 x 48/)
    expect(reasons['case04.png']).toBe('case04.png has no mask of its name.')
    for (const reason of Object.values(reasons)) expect(reason).toMatch(/^[^\n]+\.$/)
    expect(report.thumbnails.length).toBeGreaterThan(0)
    for (const { png } of report.thumbnails) expect([...png.subarray(1, 4)]).toEqual([0x50, 0x4e, 0x47])
    for (const name of ['case00', 'case05', 'case06', 'case07']) await rm(path.join(dir, 'images', `${name}.png`))
    await expect(checkData({ ...orderFor(dir), thumbnails: 0 })).rejects.toMatchObject({ code: 'nothing-to-train' })
  })

  it('refuses masks without any of the labels, and a border without exclusive classes', async () => {
    const dir = at('empty')
    for (const part of ['images', 'masks']) await picture(path.join(dir, part, 'a.png'), 20, 20, 0)
    await expect(openTrainingData(orderFor(dir))).rejects.toMatchObject({ code: 'nothing-to-train' })
    const order = orderFor(disks)
    order.settings.loss = { ...order.settings.loss, output: 'sigmoid' }
    order.settings.instances = borders
    await expect(openTrainingData(order)).rejects.toMatchObject({ code: 'bad-request' })
  })

  it('refuses a window that ends before it begins', async () => {
    const order = orderFor(disks)
    order.settings.input = { ...order.settings.input, normalization: { kind: 'window', from: 255, to: 0 } }
    await expect(openTrainingData(order)).rejects.toMatchObject({ code: 'bad-request' })
  })

  it('refuses objects of a label that there is not, and a border of another than the first', async () => {
    const order = orderFor(volumes, { recipe: { classes: [] } })
    for (const [label, kind, said] of [
      [1, 'distance', 'set instances.label to one of 5, 9'],
      [9, 'border', 'set instances.label=5'],
    ] as const) {
      order.settings.instances = { ...borders, label, kind }
      const refused = { code: 'bad-request', message: expect.stringContaining(said) as string }
      await expect(openTrainingData(order)).rejects.toMatchObject(refused)
    }
    for (const [label, kind] of [
      [5, 'border'],
      [9, 'distance'],
    ] as const) {
      order.settings.instances = { ...borders, label, kind }
      await (await openTrainingData(order)).close()
    }
  })

  it('refuses data of which nothing is left to learn from', async () => {
    const dir = at('tested')
    await diskFolder(path.join(dir, 'train'), 2)
    await diskFolder(path.join(dir, 'test'), 2)
    for (const name of ['case00.png', 'case01.png']) await writeFile(path.join(dir, 'train', 'images', name), '')
    const refused = { code: 'nothing-to-train', message: expect.stringContaining('left to learn from') as string }
    await expect(openTrainingData(orderFor(dir))).rejects.toMatchObject(refused)
  })

  it('stops when it is told to', async () => {
    const stopped = openTrainingData(orderFor(disks), { signal: AbortSignal.abort() })
    await expect(stopped).rejects.toMatchObject({ code: 'cancelled' })
  })
})

describe('volumes', () => {
  const classless = { recipe: { classes: [] } }

  it('are slices in the planes that are asked for, with the labels that are found', async () => {
    const order = orderFor(volumes, { ...classless, settings: { planes: ['axial', 'coronal', 'oblique'] } })
    const data = await openTrainingData(order, { workers: 0 })
    expect(data.labels).toEqual([
      { value: 5, name: 'Label 5' },
      { value: 9, name: 'Label 9' },
    ])
    const own = data.slices('train').filter(({ caseId }) => caseId === data.slices('train')[0]?.caseId)
    const sizes = (plane: string) =>
      own.filter((ref) => ref.plane === plane).map(({ width, height }) => [width, height])
    expect(sizes('axial')).toHaveLength(9)
    expect(sizes('axial')[0]).toEqual([12, 10])
    expect(sizes('coronal')).toHaveLength(10)
    expect(sizes('coronal')[0]).toEqual([12, 9])
    const oblique = own.find(({ plane, index }) => plane === 'oblique' && index === 0)
    if (oblique === undefined) throw new Error('no oblique slice')
    const outside = (await data.slice(oblique)).classes.filter((value) => value === 255).length
    expect(outside).toBeGreaterThan(oblique.width * oblique.height * 0.5)
    expect(data.spacing).toMatchObject({ plane: 'mixed', slices: 2, inPlane: [1, 1] })
    expect(await all(data.batches(options({ patch: 16 })))).toHaveLength(4)
    await data.close()
  })

  it('hold only the labels that are wanted', async () => {
    const data = await openTrainingData(orderFor(volumes, { ...classless, settings: { labels: [9] } }))
    expect(data.labels).toEqual([{ value: 9, name: 'Label 9' }])
    expect(data.outputChannels).toBe(2)
    expect(new Set((await data.truth('volume0')).labels)).toEqual(new Set([0, 9]))
    expect(data.report.remarks).toEqual([])
    await data.close()
  })

  it('give patches no larger than their largest slice needs', async () => {
    const data = await openTrainingData(orderFor(volumes, { recipe: { classes: [] } }))
    const widest = Math.max(...data.slices('train').map(({ width }) => width))
    const highest = Math.max(...data.slices('train').map(({ height }) => height))
    const [batch] = await all(data.batches(options({ patch: 256, step: 4 })))
    expect(batch).toMatchObject({ width: 4 * Math.ceil(widest / 4), height: 4 * Math.ceil(highest / 4) })
    expect(widest).toBeLessThan(256)
    await data.close()
  })

  it('that do not fit are drawn from in turn, each as often as the others', async () => {
    const order = orderFor(volumes, { recipe: { classes: [] } })
    order.settings.input = { ...order.settings.input, normalization: { kind: 'none' } }
    const data = await openTrainingData(order, { workers: 0, cacheBytes: 1 })
    const still = augmentationSettingsSchema.parse({})
    const steps = data.batchesPerEpoch({ batch: 3, patch: 16 })
    expect(steps).toBe(9)
    const one = options({ steps, batch: 3, patch: 16, foreground: 0, augmentation: still })
    const pictures = new Set(
      (await all(data.batches(one))).flatMap(({ images, width, height }) =>
        [0, 1, 2].map((i) => images.subarray(i * width * height, (i + 1) * width * height).join()),
      ),
    )
    // Three volumes of nine slices, each slice once.
    expect(pictures.size).toBe(27)
    expect(digest(await all(data.batches(one)))).toBe(digest(await all(data.batches(one))))
    expect(await all(data.batches(options({ patch: 16, foreground: 1 })))).toHaveLength(4)
    await data.close()
  })

  it('that are alone are parted by slices, which no batch crosses', async () => {
    const dir = at('alone')
    await volumeFolder(dir, 1, [12, 10, 12])
    const order = orderFor(dir, { ...classless, settings: { planes: ['axial', 'coronal'] } })
    const data = await openTrainingData(order, { workers: 0 })
    expect(data.cases.map(({ id }) => id)).toEqual(['volume0-train', 'volume0-validation', 'volume0-holdout'])
    const indices = data.cases.map(({ only }) => only?.indices ?? [])
    expect(indices.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, i) => i))
    expect(data.cases[2]?.only).toMatchObject({ axis: 2 })
    expect(indices[2]).toHaveLength(4)
    expect(data.slices('train').every(({ plane }) => plane === 'axial')).toBe(true)
    expect(data.slices('train').map(({ index }) => index)).toEqual(indices[0])
    expect(data.report.remarks.join(' ')).toMatch(/slices of it are held out.*only slices of one plane/)
    await data.close()
  })
})

describe('augmentationSheet', () => {
  it('is a PNG, the same for the same seed', async () => {
    const order = { ...orderFor(disks, { settings: { augmentation } }), rows: 2, columns: 3 }
    const png = await augmentationSheet(order)
    expect([...png.subarray(1, 4)]).toEqual([0x50, 0x4e, 0x47])
    expect(await augmentationSheet(order)).toEqual(png)
    expect(await augmentationSheet({ ...order, seed: 2 })).not.toEqual(png)
  })
})
