import { CodedError } from '../../core/contract/errors.ts'

/** What the user is told of the compute process. */

export const CRASHED =
  'The compute process stopped unexpectedly; nothing that was saved is lost, and it is being restarted.'

export const OUT_OF_MEMORY =
  'The compute process held more memory than it may (MASKWRIGHT_MEMORY_MB, else 70 % of what this computer has); it was ended, and nothing that was saved is lost.'

export const KEEPS_STOPPING =
  'The compute process keeps stopping; Predict and Retrain try once more, and the Compute panel says what works.'

export const CLOSING = 'The workstation is closing.'

export const CONFIGURING = 'Compute is being started with other settings; try again in a moment.'

/** `configure` while something is asked of compute. */
export const CONFIGURE_BUSY =
  'Compute is in use at the moment; wait until it has finished, or cancel what runs, then change the settings.'

/** `why` is a sentence; `now` is the way that computes. */
export function gaveUp(ways: readonly string[], why: string, now: string): string {
  const names = ways.join(', ')
  const are = ways.length === 1 ? 'is' : 'are'
  return `${names} gave up: ${why} Maskwright goes on with ${goesOnWith(now)} and does again what it was doing; nothing is lost. ${names} ${are} tried again at the next start, or when every way is checked again.`
}

/** A choice of an earlier day that cannot be used any more; `why` is a sentence. */
export function cannotBeUsed(chosen: string, why: string, now: string): string {
  return `${chosen}, which was chosen for this computer, cannot be used at the moment: ${why} Maskwright computes with ${goesOnWith(now)} until then.`
}

function goesOnWith(now: string): string {
  return now === 'js' ? 'js, on which a training step can take minutes' : now
}

/** What a training that a crash cut off says. */
export function trainingCrashed(error: CodedError): CodedError {
  const message =
    error.message === OUT_OF_MEMORY
      ? 'The training needed more memory than compute may hold (MASKWRIGHT_MEMORY_MB, else 70 % of what this computer has), and compute was started again; nothing is lost.'
      : 'The compute process stopped during the training and was started again; nothing is lost, press Retrain again.'
  return new CodedError('compute-crashed', message, { cause: error })
}

/** What a training by a recipe says that a crash cut off. */
export function recipeTrainingCrashed(error: CodedError, canResume: boolean): CodedError {
  const why =
    error.message === OUT_OF_MEMORY
      ? 'The training needed more memory than compute may hold (MASKWRIGHT_MEMORY_MB, else 70 % of what this computer has), and compute was started again'
      : 'The compute process stopped during the training and was started again'
  const next = canResume ? 'resume the training from its last epoch' : 'start the training again'
  return new CodedError('compute-crashed', `${why}; nothing that was saved is lost, ${next}.`, { cause: error })
}
