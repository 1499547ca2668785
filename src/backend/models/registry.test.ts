import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, it } from 'vitest'
import type { TimelinePoint } from '../../core/contract/learning.ts'
import { cleanUp, insideBlock, openBackend, openWithCase, rectangle, restart, volumeData } from '../testing/fixtures.ts'
import {
  DICE_OF_ALL,
  drawBlock,
  openWithHoldout,
  predictAs,
  retrain,
  usedVersion,
  versionOf,
} from '../testing/versions.ts'
import { timelineCharts, timelineCsv } from './timeline.ts'

afterEach(cleanUp)

async function withVersions(count: number) {
  const test = await openWithCase()
  await drawBlock(test, test.caseId, 1)
  for (let n = 0; n < count; n++) await retrain(test)
  return test
}

describe('what the user says of a version', () => {
  it('is kept: name, notes, tags, each once', async () => {
    const test = await withVersions(1)
    const { id: modelId, name } = await versionOf(test, 0)
    expect(name).toBe('Test')
    await test.call('models.describe', {
      modelId,
      name: 'For the ward',
      notes: 'good on livers',
      tags: ['a', 'b', 'a'],
    })
    const described = { name: 'For the ward', notes: 'good on livers', tags: ['a', 'b'] }
    expect(test.told('models.changed').at(-1)?.models[0]).toMatchObject(described)
    const again = await restart(test)
    expect(await versionOf(again, 0)).toMatchObject(described)
    expect(await again.call('models.describe', { modelId, notes: '' })).toMatchObject({ ...described, notes: '' })
    // The next one is called as the network is.
    expect((await retrain(again)).name).toBe('Test')
    await expect(again.call('models.describe', { modelId: 'none', notes: '' })).rejects.toMatchObject({
      code: 'not-found',
    })
  })
})

describe('disk use', () => {
  it('is that of the folder; pruned versions are known, use none, and can do nothing', async () => {
    const test = await withVersions(3)
    const folder = (version: number) => join(test.dir, 'models', `00${version}`)
    writeFileSync(join(folder(2), 'weights.bin'), new Uint8Array(12_345))
    const again = await restart(test)
    const bytes = readdirSync(folder(2)).reduce((sum, name) => sum + statSync(join(folder(2), name)).size, 0)
    expect(bytes).toBeGreaterThan(12_345)
    const { id: modelId } = await versionOf(again, 1)
    expect(await versionOf(again, 1)).toMatchObject({ bytes, pruned: false })
    const { freedBytes, models } = await again.call('models.prune', { modelIds: [modelId] })
    expect(freedBytes).toBe(bytes)
    expect(models[1]).toMatchObject({ version: 2, bytes: 0, pruned: true, name: 'Test' })
    expect(existsSync(folder(2))).toBe(false)
    expect(await again.call('models.detail', { modelId })).toMatchObject({ data: [{ slices: 1 }], bytes: 0 })
    const gone = {
      code: 'file-missing',
      message: expect.stringContaining('weights of version 2 were deleted') as string,
    }
    await expect(again.call('models.activate', { modelId })).rejects.toMatchObject(gone)
    await expect(again.call('models.export', { modelId, fileId: null })).rejects.toMatchObject(gone)
    await expect(again.call('models.preview', { modelId, caseId: test.caseId, index: 0 })).rejects.toMatchObject(gone)
    expect(await usedVersion(again)).toBe(3)
    // Numbers are not given out again, and children are not disturbed.
    expect(await retrain(again)).toMatchObject({ version: 4, parentId: models[2]?.id })
    expect((await again.call('models.prune', { modelIds: [modelId] })).freedBytes).toBe(0)
  })

  it('keeps the one in use, and then all that were to be deleted with it', async () => {
    const test = await withVersions(2)
    const { models } = await test.call('project.get', {})
    const modelIds = models.map(({ id }) => id)
    await expect(test.call('models.prune', { modelIds })).rejects.toMatchObject({
      code: 'conflict',
      message: 'Version 2 is in use, so it cannot be deleted; use another version first.',
    })
    expect((await test.call('project.get', {})).models.map(({ pruned }) => pruned)).toEqual([false, false])
    expect(readdirSync(join(test.dir, 'models'))).toEqual(['001', '002'])
  })

  it('finishes at the next start what was cut off, and keeps reports', async () => {
    const test = await withVersions(2)
    await test.backend.close()
    mkdirSync(join(test.dir, 'models', '001', 'report'))
    writeFileSync(join(test.dir, 'models', '001', 'report', 'report.json'), '{}')
    // Killed after it was recorded, before anything was deleted.
    const database = new DatabaseSync(join(test.dir, 'project.sqlite'))
    database.exec('UPDATE models SET pruned = 1 WHERE version = 1')
    database.close()
    const again = await openBackend(test.dir)
    expect(readdirSync(join(test.dir, 'models', '001'))).toEqual(['report'])
    expect(await versionOf(again, 0)).toMatchObject({ pruned: true, report: true, bytes: 0 })
    expect(await usedVersion(again)).toBe(2)
  })
})

describe('what a version was made from', () => {
  it('is each case with its image, revision and slices, and what changed since', async () => {
    const test = await openWithCase()
    const { caseId } = test
    await drawBlock(test, caseId, 1)
    await drawBlock(test, caseId, 3)
    const { id: modelId } = await retrain(test)
    const detail = await test.call('models.detail', { modelId })
    expect(detail.data).toMatchObject([
      { caseId, name: 'volume-0', removed: false, revision: 2, slices: 2, changedSince: 0 },
    ])
    expect(detail.data[0]?.imageHash).toMatch(/^[0-9a-f]{64}$/)
    expect(detail.settings).toMatchObject({ steps: 3, seconds: 10, seed: 1 })
    const delta = rectangle({ index: 3, at: [0, 0], size: [1, 1], after: 1 })
    await test.call('annotation.commit', { caseId, delta })
    await test.call('case.remove', { caseId })
    const { data } = await test.call('models.detail', { modelId })
    expect(data).toMatchObject([{ caseId, removed: true, revision: 2, slices: 2, changedSince: 1 }])
  })
})

describe('a preview', () => {
  it('is what a version predicts of a slice, and nothing is kept of it', async () => {
    const test = await withVersions(2)
    predictAs(test, ['right', 'all'])
    const { caseId } = test
    const preview = async (at: number) => {
      const { id: modelId } = await versionOf(test, at)
      return test.call('models.preview', { modelId, caseId, index: 4 })
    }
    const first = await preview(0)
    expect(first).toMatchObject({ axis: 2, index: 4, width: 8, height: 6 })
    expect([...first.data]).toEqual(Array.from({ length: 48 }, (_, i) => Number(insideBlock(i % 8, Math.floor(i / 8)))))
    expect(new Set((await preview(1)).data)).toEqual(new Set([1]))
    const layer = await test.call('annotation.slice', { caseId, axis: 2, index: 4, layer: 'prediction' })
    expect(layer.modelId).toBeNull()
    await test.call('labels.remove', { value: 1 })
    expect(new Set((await preview(1)).data), 'a label that is gone').toEqual(new Set([0]))
    const { id: modelId } = await versionOf(test, 0)
    await expect(test.call('models.preview', { modelId, caseId, index: 5 })).rejects.toMatchObject({
      code: 'bad-request',
    })
  })

  it('is shown for each version that is still there, as an animation', async () => {
    const test = await withVersions(3)
    const { id } = await versionOf(test, 1)
    await test.call('models.prune', { modelIds: [id] })
    predictAs(test, ['right', 'none', 'all'])
    const { path, bytes, frames } = await test.call('models.animation', { caseId: test.caseId, index: 2, fileId: null })
    expect([frames, path]).toEqual([2, join(test.dir, 'exports', 'volume-0-slice-3-versions.gif')])
    expect(readFileSync(path, 'latin1')).toBe('GIF89a')
    expect(bytes).toBe(6)
    const [asked] = test.compute.learning.calls('animate')
    expect(asked?.frames.map(({ words }) => words)).toEqual(['version 1', 'version 3 · in use'])
    expect(asked?.frames.map(({ labels }) => labels.reduce((sum, value) => sum + value, 0))).toEqual([9, 48])
    expect(asked?.slice.data).toHaveLength(2 * 48)
    expect(asked?.slice.index).toBe(2)
    expect(volumeData([8, 6, 5])[2 * 48]).toBe(asked?.slice.data[0])
    const labels = (await test.call('project.get', {})).labels.map(({ value: label, color }) => ({ label, color }))
    expect(asked?.colors).toEqual(labels)
  })
})

describe('the curves', () => {
  it('go over all versions, with the hold-out that each was scored on', async () => {
    const test = await openWithHoldout(5)
    predictAs(test, ['all', 'right', 'none'])
    await retrain(test)
    await drawBlock(test, test.caseId, 2)
    await retrain(test)
    await drawBlock(test, test.caseId, 3)
    await retrain(test)
    const { id } = await test.call('holdout.get', {})
    const { points } = await test.call('models.timeline', {})
    expect(
      points.map(({ version, correctedSlices, verdict, used }) => [version, correctedSlices, verdict, used]),
    ).toEqual([
      [1, 1, 'unproven', true],
      [2, 2, 'promoted', true],
      [3, 3, 'aside', false],
    ])
    expect(points.map(({ holdoutId }) => holdoutId)).toEqual([id, id, id])
    expect(points[0]?.holdoutDice).toBeCloseTo(DICE_OF_ALL, 12)
    expect(points.slice(1).map(({ holdoutDice }) => holdoutDice)).toEqual([1, 0])
    // Of the slice that was new: what the first predicted there, and what the second does.
    expect(points[1]?.correctionDiceBefore).toBeCloseTo(DICE_OF_ALL, 12)
    expect(points[1]?.correctionDiceAfter).toBe(1)
  })

  it('add up the training of ancestors, and tell what losses came to', async () => {
    const test = await withVersions(2)
    await test.backend.close()
    const database = new DatabaseSync(join(test.dir, 'project.sqlite'))
    const training = {
      slices: 1,
      steps: 3,
      seed: 1,
      backend: 'js',
      curve: [],
      lossBefore: 2,
      diceBefore: 0,
      diceAfter: 1,
    }
    for (const [version, seconds, lossAfter] of [
      [1, 2, 0.5],
      [2, 3.5, 0.25],
    ] as const) {
      const report = JSON.stringify({ ...training, seconds, lossAfter })
      database
        .prepare(`UPDATE models SET card = json_set(card, '$.training', json(?)) WHERE version = ?`)
        .run(report, version)
    }
    database.close()
    const again = await openBackend(test.dir)
    const { points } = await again.call('models.timeline', {})
    expect(points.map(({ trainingSeconds, loss }) => [trainingSeconds, loss])).toEqual([
      [2, 0.5],
      [5.5, 0.25],
    ])
  })

  it('are written as a table and as pictures', async () => {
    const test = await openWithHoldout(5)
    predictAs(test, ['all', 'right'])
    await retrain(test)
    await retrain(test)
    const { path } = await test.call('models.saveTimeline', { format: 'csv', fileId: null })
    expect(path).toBe(join(test.dir, 'exports', 'model-versions.csv'))
    const lines = readFileSync(path, 'utf8').split('\r\n')
    expect(lines[0]?.split(',').slice(0, 6)).toEqual([
      'version',
      'id',
      'created',
      'verdict',
      'used',
      'corrected_slices',
    ])
    expect(lines.slice(1).map((line) => line.split(',').at(0))).toEqual(['1', '2', ''])
    const target = test.backend.registerFile(join(test.dir, '..', 'curves'), 'save').id
    const svg = await test.call('models.saveTimeline', { format: 'svg', fileId: target })
    expect(svg.path).toBe(join(test.dir, '..', 'curves.svg'))
    const charts = test.compute.learning.calls('chart')
    expect(charts.map(({ title }) => title)).toEqual(['Dice by corrected slices', 'Dice by seconds of training'])
    const text = readFileSync(svg.path, 'utf8')
    expect(text.match(/<svg/g)).toHaveLength(1 + charts.length)
    expect(text).toContain('<svg x="640" y="0" xmlns')
    expect(svg.bytes).toBe(Buffer.byteLength(text))
  })

  const point = (change: Partial<TimelinePoint>): TimelinePoint => ({
    ...{ modelId: 'm', version: 1, createdAt: '2026-01-01', verdict: null, used: true, correctedSlices: 0 },
    ...{ trainingSeconds: 0, loss: null, holdoutDice: null, holdoutId: null },
    ...{ correctionDiceBefore: null, correctionDiceAfter: null, ...change },
  })

  it('have a line for each hold-out, and points in order, whatever the order of the versions', () => {
    const points = [
      point({ correctedSlices: 4, trainingSeconds: 9, holdoutDice: 0.5, holdoutId: 'a', loss: 0.2 }),
      point({ version: 2, correctedSlices: 2, trainingSeconds: 30, holdoutDice: 0.4, holdoutId: 'a' }),
      point({ version: 3, correctedSlices: 8, trainingSeconds: 40, holdoutDice: 0.7, holdoutId: 'b', loss: 0.1 }),
    ]
    const charts = timelineCharts(points)
    expect(charts.map(({ title, series }) => [title, series.map(({ name }) => name)])).toEqual([
      ['Dice by corrected slices', ['hold-out 1', 'hold-out 2']],
      ['Loss by corrected slices', ['loss']],
      ['Dice by seconds of training', ['hold-out 1', 'hold-out 2']],
      ['Loss by seconds of training', ['loss']],
    ])
    expect(charts[0]?.series[0]?.points).toEqual([
      { x: 2, y: 0.4 },
      { x: 4, y: 0.5 },
    ])
    expect(charts[3]?.series[0]?.points).toEqual([
      { x: 9, y: 0.2 },
      { x: 40, y: 0.1 },
    ])
    expect(timelineCharts([point({})])).toEqual([])
  })

  it('leave empty in the table what is not known', () => {
    expect(timelineCsv([point({ loss: 0.25, trainingSeconds: 1.5 })])).toBe(
      'version,id,created,verdict,used,corrected_slices,training_seconds,loss,holdout_dice,holdout,' +
        'correction_dice_before,correction_dice_after\r\n1,m,2026-01-01,,yes,0,1.5,0.25,,,,\r\n',
    )
  })
})
