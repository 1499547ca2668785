import { describe, expect, it } from 'vitest'
import type { NetworkFacts, NetworkUse } from '../../../../core/contract/index.ts'
import { aLabel } from '../../testing/fakeClient.ts'
import { asksForBackground, classesOf, meaningOf, newForm, problemsOf, waysFor } from './importForm.ts'

function facts(
  use: Partial<NetworkUse> & { channels?: number } = {},
  change: Partial<NetworkFacts> = {},
): NetworkFacts {
  const { channels = 3, ...others } = use
  return {
    ...{ sha256: '0'.repeat(64), bytes: 7, parameters: 12, inputChannels: 1, step: 4, base: 8 },
    use: {
      input: { name: 'image', layout: 'channels-first' },
      output: { name: 'logits', layout: 'channels-first', channels },
      ...{ scores: 'logits', classes: 'exclusive', size: null, single: false, reach: 20 },
      ...{ bytesPerPixel: 100, pixelsPerSecond: 1e6, opset: 17, producer: null },
      ...others,
    },
    ...{ stated: {}, remarks: [], sample: { width: 1, height: 1, values: [0] } },
    ...change,
  }
}
const liver = aLabel({ value: 1, name: 'Liver' })
const spleen = aLabel({ value: 2, name: 'Spleen' })

describe('the form of an import', () => {
  it('begins with what the file says, else with the labels of the project where they are as many', () => {
    expect(newForm('net', facts(), [liver, spleen])).toMatchObject({
      ...{ name: 'net', way: 'percentile', spacing: '', classes: ['Liver', 'Spleen'], backgroundFirst: false },
    })
    expect(newForm('net', facts(), [liver]).classes).toEqual(['Class 1', 'Class 2'])
    const spacing = { inPlane: [0.8, 0.9] as [number, number], slices: null }
    const stated = {
      classes: ['A', 'B'],
      spacing,
      input: { colour: { kind: 'rgb' as const }, normalization: { kind: 'none' as const } },
    }
    const form = newForm('net', facts({}, { stated, inputChannels: 3 }), [liver, spleen])
    expect(form).toMatchObject({ way: 'stated', spacing: '0.8, 0.9', classes: ['A', 'B'] })
    expect(meaningOf(form, facts({}, { stated, inputChannels: 3 }))).toEqual({ name: 'net', ...stated })
  })

  it('asks whether the first channel is background only where channels do not exclude each other', () => {
    const apart = facts({ classes: 'independent', channels: 2 })
    expect([asksForBackground(facts()), asksForBackground(apart)]).toEqual([false, true])
    expect(asksForBackground(facts({ classes: 'independent', channels: 1 }))).toBe(false)
    const form = newForm('net', apart, [])
    expect(classesOf(form, apart).map(({ channel }) => channel)).toEqual([0, 1])
    form.backgroundFirst = true
    expect(classesOf(form, apart)).toEqual([{ at: 1, channel: 1 }])
    expect(meaningOf(form, apart).classes).toEqual(['Class 2'])
    // The channel of a class where the first is background anyway.
    expect(classesOf(newForm('net', facts(), []), facts()).map(({ channel }) => channel)).toEqual([1, 2])
  })

  it('offers colour networks what colour networks take first', () => {
    expect(waysFor(facts())[0]).toBe('percentile')
    expect(waysFor(facts({}, { inputChannels: 3 }))[0]).toBe('bytes')
    const form = { ...newForm('net', facts({}, { inputChannels: 3 }), []), way: 'photographs' as const }
    expect(meaningOf(form, facts({}, { inputChannels: 3 })).input).toEqual({
      colour: { kind: 'rgb' },
      normalization: { kind: 'window', from: 0, to: 255 },
      standardize: { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] },
    })
  })

  it.each([
    [{ name: ' ' }, { name: 'The model needs a name.' }],
    [{ way: 'window' as const, from: 3, to: 3 }, { to: 'The window must end above where it begins.' }],
    [{ way: 'window' as const, from: '' as const }, { to: 'The window must end above where it begins.' }],
    [{ classes: ['A', ' a '] }, { classes: 'Two classes are called "a"; give each a name of its own.' }],
    [{ classes: ['A', ''] }, { classes: 'Each class needs a name.' }],
    [{ spacing: '0.8' }, { spacing: 'Two or three positive numbers of mm, such as 0.8, 0.8, 3.' }],
    [{ spacing: '1, 0' }, { spacing: 'Two or three positive numbers of mm, such as 0.8, 0.8, 3.' }],
    [{ spacing: '0.8 x 0.8 x 3' }, {}],
    [{ spacing: '0.8×0.8' }, {}],
  ])('says what is wrong with %o', (change, problems) => {
    expect(problemsOf({ ...newForm('net', facts(), []), ...change }, facts())).toEqual(problems)
  })
})
