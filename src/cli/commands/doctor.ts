import { withComputeProcess, type ComputeOptions } from '../compute.ts'
import { Output } from '../output.ts'

/** `maskwright doctor` */
export async function doctor(options: ComputeOptions): Promise<void> {
  const output = new Output(options)
  const report = await withComputeProcess(options, output, (compute, signal) => compute.call('doctor', {}, { signal }))
  output.data(report)
  for (const { name, available, reason, selfTest } of report.backends) {
    const test =
      selfTest === null ? '' : `, self-test ${selfTest.ok ? 'passed' : 'failed'} in ${Math.round(selfTest.ms)} ms`
    output.text(
      `${name.padEnd(17)} ${available ? 'available' : 'not available'}${test}${reason === '' ? '' : `: ${reason}`}`,
    )
  }
  output.text(`chosen            ${report.chosen ?? 'none'}, ${report.threads} threads`)
  for (const [name, version] of Object.entries(report.versions)) output.text(`${name.padEnd(17)} ${version}`)
  output.text(`memory            ${Math.round(report.memory.freeMB)} of ${Math.round(report.memory.totalMB)} MB free`)
}
