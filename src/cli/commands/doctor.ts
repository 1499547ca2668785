import type { DoctorReport } from '../../core/contract/schemas.ts'
import { withComputeProcess, type ComputeOptions } from '../compute.ts'
import { Output } from '../output.ts'

export interface DoctorOptions extends ComputeOptions {
  readonly fresh?: boolean
}

const WIDTH = 80
/** Of the names in the left column. */
const COLUMN = 12

/** `maskwright doctor` */
export async function doctor(options: DoctorOptions): Promise<void> {
  const output = new Output(options)
  const fresh = options.fresh === true
  const report = await withComputeProcess(options, output, (compute, signal) =>
    compute.call('doctor', { fresh }, { signal }),
  )
  output.data(report)
  for (const line of doctorText(report, options.debug === true)) output.text(line)
}

/** The report for people, in lines of at most 80 characters; `details` are what libraries said themselves. */
export function doctorText(report: DoctorReport, details = false): string[] {
  const { chosen, next, threads, wanted, cached, cores, memory, versions } = report
  const count = threads === 1 ? 'one thread' : `${threads} threads`
  const how = cached ? 'found out at an earlier start; --fresh tries all again' : 'found out at this start'
  const asked = wanted.backend === 'auto' ? how : `asked for; without that, the fastest that works`
  const some = report.backends.some(({ available }) => available)
  const asking = wanted.backend === 'auto' ? 'what was asked for cannot be used' : `${wanted.backend} was asked for`
  const none = some ? `none: ${asking} (--backend, else MASKWRIGHT_BACKEND)` : 'none: no backend can be used'
  return [
    ...report.backends.flatMap((backend) => [...backendText(backend, report, details), '']),
    ...entry('chosen', chosen === null ? none : `${chosenWords(report)}, ${count} (${asked})`),
    ...(next === null || next === undefined ? [] : entry('next start', `${next}, the fastest of those tried just now`)),
    ...entry('cores', String(cores)),
    ...entry(
      'memory',
      `compute holds ${memory.processMB} MB and keeps below ${memory.limitMB} MB; ${memory.freeMB} of ${memory.totalMB} MB are free`,
    ),
    ...entry(
      'versions',
      Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    ),
  ]
}

function chosenWords({ chosen, provider }: DoctorReport): string {
  return provider === null || provider === undefined ? String(chosen) : `${String(chosen)} on ${provider}`
}

type BackendReport = DoctorReport['backends'][number]

/** A rung that has providers says nothing itself: they do, below it. */
function backendText(backend: BackendReport, { chosen, provider }: DoctorReport, details: boolean): string[] {
  const { name, available, providers } = backend
  const used = name === chosen
  if (providers === undefined) return wayText(name, backend, used, details)
  const own = providers.flatMap((each) => wayText(`  ${each.name}`, each, used && each.name === provider, details))
  return [...entry(name, stateWords(available, used)), ...own]
}

function stateWords(available: boolean, used: boolean): string {
  return used ? 'in use' : available ? 'available' : 'not available'
}

function wayText(
  name: string,
  way: Omit<BackendReport, 'name' | 'providers'>,
  used: boolean,
  details: boolean,
): string[] {
  const { available, reason, remedy, selfTest, stepMs, device, detail } = way
  const state = stateWords(available, used)
  const figures = [
    selfTest === null ? null : `self-test ${selfTest.ok ? 'passed' : 'failed'} in ${milliseconds(selfTest.ms)}`,
    stepMs === null ? null : `${milliseconds(stepMs)} per training step`,
  ].filter((each) => each !== null)
  const memory = typeof device?.memoryMB === 'number' ? `, ${Math.round(device.memoryMB)} MB of memory` : ''
  return [
    ...entry(name, [state, ...figures].join(', ')),
    ...(device === null ? [] : entry('', `${device.name}${memory}`)),
    ...entry('', reason),
    ...(remedy === null ? [] : entry('', remedy)),
    ...(details && typeof detail === 'string'
      ? detail.split('\n').map((line) => `${' '.repeat(COLUMN)}| ${line}`)
      : []),
  ]
}

function milliseconds(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : ms < 10_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1000)} s`
}

/** A name in the left column, the text beside it, broken between words. */
function entry(name: string, text: string): string[] {
  const lines: string[] = []
  let line = name.padEnd(COLUMN)
  let empty = true
  for (const word of text.split(' ').filter((each) => each !== '')) {
    if (!empty && line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = ' '.repeat(COLUMN)
      empty = true
    }
    line += empty ? word : ` ${word}`
    empty = false
  }
  return empty ? lines : [...lines, line]
}
