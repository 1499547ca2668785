import { computeMethods, computeRequestSchema } from '../core/contract/compute.ts'
import { CodedError, toWireError } from '../core/contract/errors.ts'
import type { z } from 'zod'
import type { Housekeeping } from './runtime/housekeeping.ts'
import type { ComputeMethod, ComputeMethods, ComputeProgress, ComputeReply } from '../core/contract/compute.ts'

export interface ComputeCall {
  readonly signal: AbortSignal
  readonly onProgress: (progress: ComputeProgress) => void
  /** Tells the user what the call does not answer: a smaller batch, say. */
  readonly notify: (level: 'info' | 'warning', message: string) => void
}
export type ComputeHandlers = {
  [M in ComputeMethod]: (
    params: z.output<ComputeMethods[M]['params']>,
    call: ComputeCall,
  ) => Promise<z.output<ComputeMethods[M]['result']>>
}

/**
 * Answers requests by the handlers; `send` takes the replies. Requests that are none of the protocol are dropped, and so is
 * a call under the number of one that still runs; all others are answered once. Returns what takes the messages.
 */
export function createComputeServer(
  handlers: ComputeHandlers,
  send: (reply: ComputeReply) => void,
  housekeeping?: Housekeeping,
): (message: unknown) => void {
  const running = new Map<number, AbortController>()

  async function answer(id: number, method: string, params: unknown): Promise<void> {
    if (running.has(id)) {
      // An answer under this number would be taken for that of the call that runs, which has to go on undisturbed.
      process.stderr.write(`A second call with the number ${id} (${method}) was refused: the first still runs.\n`)
      return
    }
    const controller = new AbortController()
    running.set(id, controller)
    housekeeping?.begin()
    try {
      const result = await dispatch(handlers, method, params, {
        signal: controller.signal,
        onProgress: (progress) => {
          send({ t: 'progress', id, progress })
        },
        notify: (level, message) => {
          send({ t: 'notice', level, message })
        },
      })
      send({ t: 'ok', id, result })
    } catch (error) {
      send({ t: 'error', id, error: toWireError(error) })
    } finally {
      running.delete(id)
      housekeeping?.end()
    }
  }

  return (message) => {
    const parsed = computeRequestSchema.safeParse(message)
    if (!parsed.success) return
    const request = parsed.data
    if (request.t === 'ping') send({ t: 'pong', id: request.id, rssMB: process.memoryUsage.rss() / 2 ** 20 })
    else if (request.t === 'cancel') running.get(request.id)?.abort(new CodedError('cancelled', 'Cancelled.'))
    else void answer(request.id, request.method, request.params)
  }
}

async function dispatch(
  handlers: ComputeHandlers,
  method: string,
  params: unknown,
  call: ComputeCall,
): Promise<unknown> {
  if (!isMethod(method)) throw new CodedError('unknown-method', `The compute process has no method "${method}".`)
  switch (method) {
    case 'status':
      return await handlers.status(parse('status', params), call)
    case 'doctor':
      return await handlers.doctor(parse('doctor', params), call)
    case 'predict':
      return await handlers.predict(parse('predict', params), call)
    case 'train':
      return await handlers.train(parse('train', params), call)
    case 'checkData':
      return await handlers.checkData(parse('checkData', params), call)
    case 'augmentationSheet':
      return await handlers.augmentationSheet(parse('augmentationSheet', params), call)
    case 'listCases':
      return await handlers.listCases(parse('listCases', params), call)
    case 'readTruth':
      return await handlers.readTruth(parse('readTruth', params), call)
    case 'trainRecipe':
      return await handlers.trainRecipe(parse('trainRecipe', params), call)
    case 'predictFile':
      return await handlers.predictFile(parse('predictFile', params), call)
    case 'inspectNetwork':
      return await handlers.inspectNetwork(parse('inspectNetwork', params), call)
    case 'importNetwork':
      return await handlers.importNetwork(parse('importNetwork', params), call)
    case 'exportNetwork':
      return await handlers.exportNetwork(parse('exportNetwork', params), call)
    case 'openCase':
      return await handlers.openCase(parse('openCase', params), call)
    case 'patchCase':
      return await handlers.patchCase(parse('patchCase', params), call)
    case 'keepSlices':
      return await handlers.keepSlices(parse('keepSlices', params), call)
    case 'closeCase':
      return await handlers.closeCase(parse('closeCase', params), call)
    case 'liveOpen':
      return await handlers.liveOpen(parse('liveOpen', params), call)
    case 'liveRun':
      return await handlers.liveRun(parse('liveRun', params), call)
    case 'liveSave':
      return await handlers.liveSave(parse('liveSave', params), call)
    case 'liveClose':
      return await handlers.liveClose(parse('liveClose', params), call)
    case 'score':
      return await handlers.score(parse('score', params), call)
    case 'examine':
      return await handlers.examine(parse('examine', params), call)
    case 'animate':
      return await handlers.animate(parse('animate', params), call)
    case 'chart':
      return await handlers.chart(parse('chart', params), call)
  }
}

function parse<M extends ComputeMethod>(method: M, params: unknown): z.output<ComputeMethods[M]['params']>
function parse(method: ComputeMethod, params: unknown): unknown {
  const parsed = computeMethods[method].params.safeParse(params)
  if (parsed.success) return parsed.data
  throw new CodedError('bad-request', `A request to the compute process was not well formed (${method}).`, {
    detail: parsed.error.message,
  })
}

function isMethod(name: string): name is ComputeMethod {
  return Object.hasOwn(computeMethods, name)
}
