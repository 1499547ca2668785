import { describe, expect, it } from 'vitest'
import type { DoctorReport } from '../core/contract/schemas.ts'
import { doctorText } from './commands/doctor.ts'

const device = { name: 'Processor', memoryMB: 8192 }
const absent = { available: false, selfTest: null, stepMs: null, device: null, remedy: null }

function report(change: Partial<DoctorReport> = {}): DoctorReport {
  return {
    backends: [
      {
        ...absent,
        name: 'cuda',
        reason:
          'The library of the package that was found in the folder of the program is damaged or made for another system.',
        remedy: 'Run it again.',
        detail: 'invalid ELF header',
      },
      {
        name: 'wasm',
        available: true,
        reason: 'In use, 2 threads.',
        remedy: null,
        selfTest: { ok: true, ms: 181.4 },
        stepMs: 168.4,
        device,
      },
      {
        name: 'js',
        available: true,
        reason: 'Works, not in use.',
        remedy: null,
        selfTest: { ok: true, ms: 4538 },
        stepMs: 48_200,
        device: { name: 'Processor', memoryMB: null },
      },
    ],
    chosen: 'wasm',
    threads: 2,
    wanted: { backend: 'auto', threads: 0 },
    cached: true,
    cores: 4,
    versions: { maskwright: '1.0.0', node: '24.0.0' },
    memory: { totalMB: 8192, freeMB: 4000, processMB: 210, limitMB: 5734 },
    ...change,
  }
}

describe('doctorText', () => {
  it('tells of each backend in lines that fit a terminal', () => {
    expect(doctorText(report())).toEqual([
      'cuda        not available',
      '            The library of the package that was found in the folder of the',
      '            program is damaged or made for another system.',
      '            Run it again.',
      '',
      'wasm        in use, self-test passed in 181 ms, 168 ms per training step',
      '            Processor, 8192 MB of memory',
      '            In use, 2 threads.',
      '',
      'js          available, self-test passed in 4538 ms, 48 s per training step',
      '            Processor',
      '            Works, not in use.',
      '',
      'chosen      wasm, 2 threads (found out at an earlier start; --fresh tries all',
      '            again)',
      'cores       4',
      'memory      compute holds 210 MB and keeps below 5734 MB; 4000 of 8192 MB are',
      '            free',
      'versions    maskwright 1.0.0, node 24.0.0',
    ])
  })

  it('tells of each provider of a rung below it', () => {
    const native = {
      ...{ ...absent, name: 'native' as const, available: true, reason: 'In use, 2 threads.' },
      providers: [
        { ...absent, name: 'webgpu' as const, reason: 'No graphics card was found.', remedy: 'Buy one.' },
        {
          ...{ ...absent, name: 'cpu' as const, available: true, reason: 'In use, 2 threads.', device },
          ...{ selfTest: { ok: true, ms: 240 }, stepMs: 31 },
        },
      ],
    }
    const lines = doctorText(report({ backends: [native], chosen: 'native', provider: 'cpu', cached: false }))
    expect(lines.slice(0, 9)).toEqual([
      'native      in use',
      '  webgpu    not available',
      '            No graphics card was found.',
      '            Buy one.',
      '  cpu       in use, self-test passed in 240 ms, 31 ms per training step',
      '            Processor, 8192 MB of memory',
      '            In use, 2 threads.',
      '',
      'chosen      native on cpu, 2 threads (found out at this start)',
    ])
  })

  it('says what the next start takes where that is something else', () => {
    const lines = doctorText(report({ next: 'native-cpu' }))
    expect(lines).toContain('next start  native-cpu, the fastest of those tried just now')
    expect(doctorText(report()).join()).not.toContain('next start')
  })

  it('shows what libraries said where that is asked for', () => {
    expect(doctorText(report(), true)).toContain('            | invalid ELF header')
    expect(doctorText(report()).join()).not.toContain('ELF')
  })

  it('says so when nothing can be used', () => {
    const none = report({ chosen: null })
    const backends = none.backends.map((backend) => ({ ...backend, available: false }))
    expect(doctorText({ ...none, backends })).toContain('chosen      none: no backend can be used')
    const asked = report({ chosen: null, wanted: { backend: 'cuda', threads: 0 } })
    expect(doctorText(asked)).toContain('chosen      none: cuda was asked for (--backend, else MASKWRIGHT_BACKEND)')
  })
})
