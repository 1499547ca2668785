import { mount } from '@vue/test-utils'
import { describe, expect, it } from 'vitest'
import EpochChart from './EpochChart.vue'

describe('EpochChart', () => {
  it('draws a line through the epoch whose weights were kept', () => {
    const chart = mount(EpochChart, {
      props: { title: 'Dice', epochs: [1, 2, 3], series: [], total: 3, marked: 2, waiting: '' },
    })
    const line = chart.get('.marked')
    expect(line.element).toBeInstanceOf(SVGElement)
    // 520 wide, 38 and 14 of them for the axis: halfway between epochs 1 and 3. 200 high, less 8 above and 22 below.
    expect(line.attributes()).toMatchObject({ x1: '272', x2: '272', y1: '8', y2: '178' })
  })
})
