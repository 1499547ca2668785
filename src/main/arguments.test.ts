import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { projectArgument } from './arguments.ts'

describe('the project on the command line', () => {
  it.each([
    [['electron', '.', '--project', 'a b'], resolve('/home', 'a b')],
    [['maskwright', '--no-sandbox', '--project=/data/p', '--inspect'], resolve('/data/p')],
    [['maskwright', '--project'], null],
    [['maskwright', '--project='], null],
    [['maskwright', '--projector', 'x'], null],
    [['maskwright'], null],
  ])('%j', (argv, expected) => {
    expect(projectArgument(argv, '/home')).toBe(expected)
  })
})
