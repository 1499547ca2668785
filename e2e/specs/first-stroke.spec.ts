import { expect, test } from '../fixtures/test.ts'
import { countLabels, readPlainNifti } from '../fixtures/nifti.ts'
import type { Point, Workstation } from '../pages/workstation.ts'

/** The label that the test adds: the demo project has five. */
const LESION = 6

async function voxelAt(app: Workstation, point: Point): Promise<number[]> {
  const before = await app.by('readout-voxel').textContent()
  await app.page.mouse.move(point.x, point.y)
  await expect(app.by('readout-voxel')).toContainText(/\d+/)
  await expect.poll(() => app.by('readout-voxel').textContent()).not.toBe(before)
  const text = (await app.by('readout-voxel').textContent()) ?? ''
  return [...text.matchAll(/-?\d+/g)].map((match) => Number(match[0])).slice(-3)
}

test('a stroke on a predicted slice accepts its prediction and is painted in its whole length', async ({
  shell,
}, info) => {
  const app = await shell.open()
  await app.ready()
  await app.by('predict').first().click()
  await expect.poll(() => app.colouredShare(), { timeout: 60_000 }).toBeGreaterThan(0.03)
  await app.idle()

  await app.by('label-add').click()
  await app.by('label-name').last().fill('Lesion')
  await app.by('label-name').last().press('Enter')
  await app.labelNamed('Lesion')
  await app.by('tool-brush').click()
  const points = await Promise.all([-0.12, -0.06, 0, 0.06, 0.12].map((dx) => app.at(dx, 0)))
  const voxels: number[][] = []
  for (const point of points) voxels.push(await voxelAt(app, point))
  const [from, , , , to] = points
  if (from === undefined || to === undefined) throw new Error('no points')
  const unpainted = await app.pixels(points)
  await app.drag(from, to, 40)
  await app.saved()
  const painted = await app.pixels(points)
  await app.page.screenshot({ path: info.outputPath('first-stroke.png') })

  await app.by('save-mask').first().click()
  await expect(app.by('save-result')).toContainText(/saved/i)
  const path = await app.by('save-result').getAttribute('data-path')
  if (path === null) throw new Error('the interface does not say where it saved the mask')
  const mask = readPlainNifti(path)
  const [nx = 0, ny = 0] = mask.dims
  const labelOf = ([x = 0, y = 0, z = 0]: number[]): number => mask.voxels[x + nx * (y + ny * z)] ?? 0
  expect(voxels.map(labelOf), 'every point of the drag carries the label').toEqual(voxels.map(() => LESION))
  const z = voxels[0]?.[2] ?? 0
  const counts = countLabels(mask.voxels.slice(nx * ny * z, nx * ny * (z + 1)))
  const taken = [1, 2, 3, 4].reduce((sum, label) => sum + (counts.get(label) ?? 0), 0)
  expect(taken, 'the prediction of the slice is in the mask').toBeGreaterThan(200)

  // Two steps back: the stroke, then the prediction it was painted on.
  await app.page.keyboard.press('Control+z')
  await expect.poll(() => app.pixels(points)).not.toEqual(painted)
  await expect(app.by('undo')).toBeEnabled()
  await app.page.keyboard.press('Control+z')
  await expect.poll(() => app.pixels(points)).toEqual(unpainted)
})
