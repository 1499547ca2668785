import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { findPlaces } from '../backend/host/places.ts'
import type { DoctorOptions } from './commands/doctor.ts'
import type { EvaluateOptions } from './commands/evaluate.ts'
import type { ConvertCommandOptions } from './commands/convert.ts'
import type { InfoOptions } from './commands/info.ts'
import type { ConvertModelOptions } from './commands/convertModel.ts'
import type { FinetuneOptions } from './commands/finetune.ts'
import type { PredictCommandOptions } from './commands/predict.ts'
import type { TrainCommandOptions } from './commands/train.ts'
import { failureDetail, failureLine, UsageError, type CommonOptions } from './output.ts'

/** What a command does with its arguments, which come first, and its options. Loaded only when it is asked for. */
type Load<A extends unknown[], O> = () => Promise<(...args: [...A, O]) => Promise<void>>

/**
 * The command line.
 *
 * @returns The exit code: 0 done, 1 failed, 2 wrong usage.
 */
export async function run(argv: readonly string[]): Promise<number> {
  let debug = argv.includes('--debug')
  const program = new Command('maskwright')
    .description('Offline annotation and segmentation of medical images')
    .version(findPlaces().version)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`${text.split('\n', 1).join('')}\n`) })
    .showSuggestionAfterError(false)

  function command<A extends unknown[], O extends CommonOptions>(usage: string, description: string, load: Load<A, O>) {
    return program
      .command(usage)
      .description(description)
      .option('--json', 'machine output alone on stdout')
      .option('--debug', 'show the stack trace of a failure')
      .action(async (...given: unknown[]) => {
        // commander appends the options and the command itself to the arguments.
        const args = given.slice(0, -1) as [...A, O]
        debug = (given.at(-2) as O).debug === true
        const work = await load()
        await work(...args)
      })
  }

  command<[string], InfoOptions>(
    'info <file>',
    'what an image file, or a folder with a DICOM series, says of itself',
    async () => (await import('./commands/info.ts')).info,
  ).option('--series <uid>', 'of a DICOM folder: this series, not the largest')

  command<[string, string], ConvertCommandOptions>(
    'convert <in> <out>',
    'any readable image, or a folder with a DICOM series, to NIfTI, PNG or TIFF, by the ending of OUT',
    async () => (await import('./commands/convert.ts')).convert,
  )
    .option('--reorient <code>', 'store the axes in this order, such as RAS: to the right, to anterior, to superior')
    .option('--datatype <type>', 'write scaled values as this type, such as int16 or float32 (default: as in the file)')
    .option('--frame <n>', 'this frame alone, counted from 0', wholeNumber(0))
    .option('--channel <n>', 'this channel of a microscope image, counted from 0', wholeNumber(0))
    .option('--series <uid>', 'of a DICOM folder: this series, not the largest')
    .addOption(
      new Option('--part <part>', 'of complex numbers (default: magnitude)').choices([
        'magnitude',
        'phase',
        'real',
        'imaginary',
      ]),
    )

  withCompute(
    command<[string[]], PredictCommandOptions>(
      'predict <input...>',
      'one mask per image: .nii.gz in the same geometry, or .png of label values',
      async () => (await import('./commands/predict.ts')).predict,
    )
      .requiredOption('--model <dir>', 'model folder')
      .requiredOption('--out <dir>', 'folder for the masks')
      .option('--probabilities', "also each class's probability, and the entropy, as .nii.gz or .tiff")
      .option('--instances', 'numbers of objects instead of labels, and a table of the objects')
      .option(
        '--set <key=value>',
        'how it is predicted, such as inference.flips=both (default: as the model says); may be repeated',
        collect,
      ),
  )

  withCompute(
    command<[], TrainCommandOptions>(
      'train',
      'train a model by a recipe',
      async () => (await import('./commands/train.ts')).train,
    )
      .requiredOption('--recipe <name>', 'nuclei, nerve, liver, cells or wbc')
      .requiredOption('--data <dir>', "cases in the recipe's published layout, or DIR/images and DIR/masks")
      .requiredOption('--out <dir>', 'folder for the model and its report; must not exist yet')
      .option('--epochs <n>', 'instead of those of the recipe', wholeNumber(1))
      .option('--batch <n>', 'patches a step, instead of those of the recipe', wholeNumber(1))
      .option('--limit <n>', 'at most so many cases, evenly spread over those that are there', wholeNumber(1))
      .option('--set <key=value>', 'a setting by its dotted name, or preset=article; may be repeated', collect)
      .option('--resume', 'go on with a training that was interrupted')
      .option('--compare <model>', 'another model of the recipe, to be shown in the report; may be repeated', collect),
  )

  command<[], EvaluateOptions>(
    'evaluate',
    'how well predicted masks agree with true ones, paired by file stem',
    async () => (await import('./commands/evaluate.ts')).evaluate,
  )
    .requiredOption('--truth <dir>', 'true masks: NAME.ext or NAME_mask.ext, or ID/masks with a file for each object')
    .requiredOption('--pred <dir>', 'predicted masks')
    .option('--recipe <name>', "read the truth's values as this recipe does: nuclei, nerve, liver, cells or wbc")
    .option(
      '--labels <values>',
      'only these labels, such as 1,2 (default: those of the recipe, else all that occur)',
      labelValues,
    )
    .option('--instances', 'the values of the masks number objects: average precision as well')

  withCompute(
    command<[], FinetuneOptions>(
      'finetune',
      'train a model further on corrected cases',
      async () => (await import('./commands/finetune.ts')).finetune,
    )
      .requiredOption('--model <dir>', 'model folder to begin with')
      .requiredOption('--data <dir>', 'corrected cases: DIR/images and DIR/masks, paired by file stem')
      .requiredOption('--out <dir>', 'folder for the new model; must not exist yet')
      .option('--steps <n>', 'at most this many optimizer steps', wholeNumber(1), 200)
      .option('--seconds <s>', 'about this long at most; the step that runs is finished', positive, 120)
      .option('--replay <dir>', 'earlier cases that must not be forgotten, laid out as --data')
      .option('--holdout <dir>', 'cases that decide whether the new model is better, laid out as --data'),
  )

  withCompute(
    command<[string, string], ConvertModelOptions>(
      'convert-model <in> <out>',
      'a model folder to .onnx, or an .onnx segmentation network to a model folder for prediction',
      async () => (await import('./commands/convertModel.ts')).convertModel,
    )
      .option('--name <name>', 'what the imported model is called (default: as the file says, else its name)')
      .option('--labels <names>', 'its classes in order, separated by commas, background left out')
      .option('--input <how>', 'how it takes intensities: percentile, zscore, none, or window:FROM,TO (to 0 to 1)')
      .option('--mean <numbers>', 'subtracted after that: one number, or one a channel')
      .option('--deviation <numbers>', 'divided by after that: one number, or one a channel')
      .option('--spacing <mm>', 'of the images it learned from: columns,rows or columns,rows,slices'),
  )

  command<[string | undefined], CommonOptions & { port?: number; open: boolean; demo?: boolean }>(
    'serve [project]',
    'the workstation in the browser, on this computer alone',
    async () => (await import('./commands/serve.ts')).serve,
  )
    .option('--port <n>', 'exactly this port', wholeNumber(0, 65535))
    .option('--no-open', 'do not open a browser')
    .option('--demo', 'make the demo project in PROJECT where there is none yet')

  withCompute(
    command<[], DoctorOptions>(
      'doctor',
      'which compute backends work here, and why others do not',
      async () => (await import('./commands/doctor.ts')).doctor,
    ),
  ).option('--fresh', 'try every backend again, whatever is known of this computer')

  try {
    await program.parseAsync([...argv], { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    process.stderr.write(`${failureLine(error)}\n`)
    if (debug) process.stderr.write(`${failureDetail(error)}\n`)
    return error instanceof UsageError ? 2 : 1
  }
}

/** Each provider of `native` by itself. */
const NATIVE = ['cpu', 'webgpu', 'cuda', 'dml', 'coreml'].map((provider) => `native-${provider}`)

function withCompute(command: Command): Command {
  return command
    .addOption(
      new Option('--backend <name>', 'what computes (default: as chosen for this computer, else auto)').choices([
        'auto',
        'native',
        ...NATIVE,
        'cuda',
        'webgpu',
        'tensorflow',
        'wasm',
        'js',
      ]),
    )
    .option(
      '--threads <n>',
      'threads to compute with; 0: as many as are useful (default: as chosen for this computer, else 0)',
      wholeNumber(0, 1024),
    )
    .option('--seed <n>', 'the same seed and backend give the same numbers', wholeNumber(0), 1)
}

function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER) {
  return (text: string): number => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`It must be a whole number from ${min} ${max < 1e9 ? `to ${max}` : 'on'}.`)
    }
    return value
  }
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value]
}

function labelValues(text: string): number[] {
  const values = text.split(',').map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : 0))
  if (values.some((value) => value < 1 || value > 255)) {
    throw new InvalidArgumentError('It must be label values from 1 to 255, separated by commas.')
  }
  return [...new Set(values)]
}

function positive(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError('It must be positive.')
  return value
}
