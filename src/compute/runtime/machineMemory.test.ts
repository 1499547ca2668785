import { describe, expect, it } from 'vitest'
import { machineMemory } from './machineMemory.ts'

const MB = 2 ** 20
const MEMINFO =
  'MemTotal:       16000000 kB\nMemFree:          500000 kB\nMemAvailable:    9000000 kB\nBuffers:  1 kB\n'

function files(entries: Record<string, string>): (path: string) => string | null {
  return (path) => entries[path] ?? null
}

describe('machineMemory', () => {
  it('takes what the kernel calls available, not what is free', () => {
    expect(machineMemory(files({ '/proc/meminfo': MEMINFO }))).toEqual({
      total: 16_000_000 * 1024,
      available: 9_000_000 * 1024,
    })
  })

  it('keeps to a control group of version 2, at whatever level the limit is', () => {
    const group = {
      '/proc/meminfo': MEMINFO,
      '/proc/self/cgroup': '0::/user/job\n',
      '/sys/fs/cgroup/user/job/memory.max': 'max\n',
      '/sys/fs/cgroup/user/job/memory.current': '900000000\n',
      '/sys/fs/cgroup/user/memory.max': `${2000 * MB}\n`,
      '/sys/fs/cgroup/user/memory.current': `${1500 * MB}\n`,
      '/sys/fs/cgroup/user/memory.stat': `anon 1\ninactive_file ${400 * MB}\n`,
    }
    expect(machineMemory(files(group))).toEqual({ total: 2000 * MB, available: 900 * MB })
  })

  it('takes the least of several limits for what there is, and the least that any leaves for what is free', () => {
    const group = {
      '/proc/meminfo': MEMINFO,
      '/proc/self/cgroup': '0::/user/job\n',
      '/sys/fs/cgroup/user/job/memory.max': `${1000 * MB}\n`,
      '/sys/fs/cgroup/user/job/memory.high': 'max\n',
      '/sys/fs/cgroup/user/job/memory.current': `${200 * MB}\n`,
      '/sys/fs/cgroup/user/memory.max': 'max\n',
      '/sys/fs/cgroup/user/memory.high': `${2000 * MB}\n`,
      '/sys/fs/cgroup/user/memory.current': `${1500 * MB}\n`,
    }
    expect(machineMemory(files(group))).toEqual({ total: 1000 * MB, available: 500 * MB })
  })

  it('keeps to one of version 1, whose files may lie at the root inside a container', () => {
    const group = {
      '/proc/meminfo': MEMINFO,
      '/proc/self/cgroup': '9:name=systemd:/\n4:memory:/docker/abc\n0::/\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': `${1000 * MB}\n`,
      '/sys/fs/cgroup/memory/memory.usage_in_bytes': `${700 * MB}\n`,
      '/sys/fs/cgroup/memory/memory.stat': `total_inactive_file ${100 * MB}\n`,
    }
    expect(machineMemory(files(group))).toEqual({ total: 1000 * MB, available: 400 * MB })
  })

  it('knows that a limit of 2^63 is none', () => {
    const group = {
      '/proc/meminfo': MEMINFO,
      '/proc/self/cgroup': '4:memory:/\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      '/sys/fs/cgroup/memory/memory.usage_in_bytes': '1000\n',
    }
    expect(machineMemory(files(group)).available).toBe(9_000_000 * 1024)
  })

  it('asks Node where there is no such file', () => {
    const { total, available } = machineMemory(() => null)
    expect(total).toBeGreaterThan(0)
    expect(available).toBeLessThanOrEqual(total)
  })
})
