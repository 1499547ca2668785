import { basename } from 'node:path'
import { convertImage, convertTarget, datatypes, type WrittenType } from '../../imaging/convert/index.ts'
import { isAxisCode } from '../../core/geometry/index.ts'
import { Output, UsageError, type CommonOptions } from '../output.ts'
import { interruptible } from '../interrupt.ts'
import { selectionOf, type SelectionOptions } from '../selection.ts'

export interface ConvertCommandOptions extends CommonOptions, SelectionOptions {
  readonly reorient?: string
  readonly datatype?: string
}

/** `maskwright convert IN OUT` */
export async function convert(input: string, out: string, options: ConvertCommandOptions): Promise<void> {
  const output = new Output(options)
  const { reorient, datatype } = options
  if (convertTarget(out) === null) {
    throw new UsageError(`${basename(out)} must end in .nii, .nii.gz, .png, .tif or .tiff, which says what it will be.`)
  }
  if (reorient !== undefined && !isAxisCode(reorient)) {
    throw new UsageError(
      `--reorient ${reorient} must be three letters, one each of R or L, A or P, and S or I, like RAS.`,
    )
  }
  if (datatype !== undefined && !isWritten(datatype)) {
    throw new UsageError(`--datatype ${datatype} must be one of ${datatypes.join(', ')}.`)
  }
  const converted = await interruptible((signal) =>
    convertImage(input, out, {
      reorient,
      datatype,
      selection: selectionOf(options),
      signal,
      onProgress: (done, total) => output.progress(`${basename(input)} -> ${basename(out)}`, done, total),
    }),
  )
  output.endProgress()
  for (const warning of converted.warnings) output.note(`warning: ${warning}`)
  const { dims, datatype: written } = converted
  output.data({ output: converted.output, dims, datatype: written, warnings: converted.warnings })
  output.text(`${input} -> ${out} (${dims.join(' x ')}, ${written})`)
}

function isWritten(name: string): name is WrittenType {
  return (datatypes as readonly string[]).includes(name)
}
