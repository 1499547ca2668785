import { describe, expect, it } from 'vitest'
import { findPython, runPython } from '../../imaging/testing/peer.ts'
import { fillHoles, keepParts } from './index.ts'
import { scattered } from './testing/scattered.ts'

/** Rows of digits. */
function map(...rows: string[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(rows.join(''), Number)
}

function filled(labels: Uint8Array, dims: readonly [number, number] | readonly [number, number, number]): Uint8Array {
  fillHoles(labels, dims)
  return labels
}

describe('filling holes', () => {
  it('fills what a label encloses, not what is open or lies at a corner', () => {
    const before = map('11110', '10010', '11110', '00011', '00010')
    expect(filled(before, [5, 5])).toEqual(map('11110', '11110', '11110', '00011', '00010'))
    const leaking = map('1101', '1001', '1111')
    expect(filled(leaking.slice(), [4, 3])).toEqual(leaking)
    const diagonal = map('0100', '1010', '0100', '0000')
    expect(filled(diagonal, [4, 4])).toEqual(map('0100', '1110', '0100', '0000'))
  })

  it('keeps other labels inside, and gives what lies between to the inner one where that encloses it', () => {
    const before = map('1111111', '1000001', '1022201', '1020201', '1022201', '1000001', '1111111')
    const after = map('1111111', '1111111', '1122211', '1122211', '1122211', '1111111', '1111111')
    expect(filled(before, [7, 7])).toEqual(after)
    // Two labels enclose this one together: neither does alone.
    const shared = map('1122', '1002', '1122')
    expect(filled(shared.slice(), [4, 3])).toEqual(shared)
  })

  it('goes by all three axes in a volume', () => {
    const cube = new Uint8Array(27).fill(4)
    cube[13] = 0
    expect(filled(cube.slice(), [3, 3, 3])).toEqual(new Uint8Array(27).fill(4))
    cube[4] = 0
    // Open to the face above.
    expect(filled(cube.slice(), [3, 3, 3])).toEqual(cube)
  })

  const peer = findPython(['numpy', 'scipy.ndimage'])
  it.skipIf(!peer.available)(`as scipy's binary_fill_holes (${peer.reason || 'here'})`, () => {
    const picture = scattered([40, 31], 11, 0.62)
    const volume = scattered([12, 11, 9], 12, 0.8)
    const script = `
import json, sys
import numpy as np, scipy.ndimage as nd
a, b = [np.array(json.loads(x), np.uint8) for x in sys.argv[1:3]]
print(json.dumps([nd.binary_fill_holes(a.reshape(31, 40)).ravel().astype(int).tolist(), nd.binary_fill_holes(b.reshape(9, 11, 12)).ravel().astype(int).tolist()]))`
    const found = runPython(
      peer,
      script,
      [picture, volume].map((each) => JSON.stringify([...each])),
    ) as number[][]
    expect([...filled(picture, [40, 31])]).toEqual(found[0])
    expect([...filled(volume, [12, 11, 9])]).toEqual(found[1])
  })
})

describe('keeping parts', () => {
  const before = map('1100', '0010', '2001', '2200')

  it('leaves out small ones; corners belong together', () => {
    const small = before.slice()
    keepParts(small, [4, 4], { smallest: 4 })
    expect(small).toEqual(map('1100', '0010', '0001', '0000'))
    const single = map('1010', '0000', '0110', '2000')
    keepParts(single, [4, 4], { smallest: 2 })
    expect(single).toEqual(map('0000', '0000', '0110', '0000'))
  })

  it('keeps the largest of each label, the first of equals', () => {
    const several = map('1102', '0002', '1102', '0000')
    keepParts(several, [4, 4], { largest: true })
    expect(several).toEqual(map('1102', '0002', '0002', '0000'))
    const none = before.slice()
    keepParts(none, [4, 4], {})
    expect(none).toEqual(before)
  })
})
