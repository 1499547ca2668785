import { readFileSync } from 'node:fs'
import os from 'node:os'

/** What the machine, or the container that this process lives in, has and can still give. Bytes. */
export interface MachineMemory {
  readonly total: number
  /** Without pushing others out of memory: caches that can be given back count as free. */
  readonly available: number
}

/** The text of a file of the system; null where it is not there. */
export type ReadSystemFile = (path: string) => string | null

/** Limits at and above this stand for "no limit". */
const UNLIMITED = 2 ** 60

/**
 * The tighter of machine and control group. On Linux the kernel's own estimate (MemAvailable): os.freemem() leaves out
 * the caches, which on a machine that has run for a while are most of the memory.
 */
export function machineMemory(read: ReadSystemFile = systemFile): MachineMemory {
  const info = read('/proc/meminfo')
  const total = meminfo(info, 'MemTotal') ?? os.totalmem()
  const available = meminfo(info, 'MemAvailable') ?? os.freemem()
  const groups = controlGroups(read)
  return {
    total: Math.min(total, ...groups.map(({ limit }) => limit)),
    available: Math.min(available, ...groups.map(({ limit, used }) => Math.max(0, limit - used))),
  }
}

function meminfo(text: string | null, name: string): number | null {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text ?? '')
  return match === null ? null : Number(match[1]) * 1024
}

interface Group {
  readonly limit: number
  /** Without what is only cached of files. */
  readonly used: number
}

/** The limits on the way from this process's control group to the root, of version 2 or 1. */
function controlGroups(read: ReadSystemFile): Group[] {
  const lines = (read('/proc/self/cgroup') ?? '').split('\n')
  const groups: Group[] = []
  for (const line of lines) {
    const [, controllers = '', place = '/'] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    const second = controllers === '' && line.startsWith('0:')
    if (!second && !controllers.split(',').includes('memory')) continue
    for (const folder of upwards(place)) {
      const group = second ? secondVersion(read, folder) : firstVersion(read, folder)
      if (group !== null) groups.push(group)
    }
  }
  return groups
}

/** '/a/b' -> '/a/b', '/a', ''. Inside a container the files of its own group may lie at the root. */
function upwards(place: string): string[] {
  const parts = place.split('/').filter((part) => part !== '')
  return Array.from({ length: parts.length + 1 }, (_, up) =>
    parts
      .slice(0, parts.length - up)
      .map((part) => `/${part}`)
      .join(''),
  )
}

/** Above `high` the kernel slows a process down until it hardly moves, above `max` it ends it. */
function secondVersion(read: ReadSystemFile, folder: string): Group | null {
  const at = `/sys/fs/cgroup${folder}`
  const limits = ['max', 'high'].map((name) => Number(read(`${at}/memory.${name}`)?.trim() ?? NaN))
  const limit = String(Math.min(...limits.filter(Number.isFinite)))
  return group(limit, read(`${at}/memory.current`), read(`${at}/memory.stat`), 'inactive_file')
}

function firstVersion(read: ReadSystemFile, folder: string): Group | null {
  const at = `/sys/fs/cgroup/memory${folder}`
  const usage = read(`${at}/memory.usage_in_bytes`)
  return group(read(`${at}/memory.limit_in_bytes`), usage, read(`${at}/memory.stat`), 'total_inactive_file')
}

function group(limitText: string | null, usedText: string | null, stat: string | null, cached: string): Group | null {
  const limit = Number(limitText?.trim() ?? NaN)
  const used = Number(usedText?.trim() ?? NaN)
  if (!Number.isFinite(limit) || !Number.isFinite(used) || limit <= 0 || limit >= UNLIMITED) return null
  const match = new RegExp(`^${cached} (\\d+)$`, 'm').exec(stat ?? '')
  return { limit, used: Math.max(0, used - Number(match?.[1] ?? 0)) }
}

function systemFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
