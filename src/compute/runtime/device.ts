import { execFile } from 'node:child_process'
import os from 'node:os'
import type { ComputeDevice } from '../../core/contract/schemas.ts'

const NVIDIA_MS = 5000

/** The processor, with the memory that this process may use: the machine's, or its container's where that is less. */
export function processorDevice(): ComputeDevice {
  return { name: processorName(), memoryMB: Math.round(usableMemory() / 2 ** 20) }
}

/** "Intel(R) Core(TM) i5-8250U CPU @ 1.60GHz" without the ornaments. Some systems give no name. */
export function processorName(model = os.cpus()[0]?.model ?? ''): string {
  const plain = model
    .replace(/\((R|TM|C)\)/gi, '')
    .replace(/\s+@.*$/, '')
    .replace(/\bCPU\b|\bProcessor\b/g, '')
    .replace(/\s+/g, ' ')
    .trim()
  return plain === '' || plain.toLowerCase() === 'unknown' ? `${os.arch()} processor` : plain
}

function usableMemory(): number {
  const constrained = process.constrainedMemory()
  return constrained > 0 ? Math.min(constrained, os.totalmem()) : os.totalmem()
}

/** The first NVIDIA card by its driver's own tool; null where that is not there, does not answer, or finds none. */
export function nvidiaDevice(tool = 'nvidia-smi'): Promise<ComputeDevice | null> {
  return new Promise((resolve) => {
    const query = ['--query-gpu=name,memory.total', '--format=csv,noheader']
    execFile(tool, query, { timeout: NVIDIA_MS, windowsHide: true }, (error, stdout) => {
      resolve(error === null ? parseNvidia(stdout) : null)
    })
  })
}

/** `NVIDIA RTX A2000, 6138 MiB`, a line a card. */
export function parseNvidia(csv: string): ComputeDevice | null {
  const [line = ''] = csv.trim().split('\n')
  const comma = line.lastIndexOf(',')
  const name = (comma < 0 ? line : line.slice(0, comma)).trim()
  if (name === '' || /^no devices|failed/i.test(name)) return null
  const memory = comma < 0 ? null : /^\s*(\d+)\s*MiB\s*$/.exec(line.slice(comma + 1))
  return { name, memoryMB: memory === null ? null : Number(memory[1]) }
}
