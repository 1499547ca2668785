import { writeSync } from 'node:fs'
import { createBackend, type Backend } from '../createBackend.ts'
import { FakeCompute } from './fakeCompute.ts'
import { qualityOf } from './qualities.ts'

/**
 * Run as a process of its own by the test of what a kill leaves of versions: trains, rolls back, overrides, prunes and imports without
 * end in the project of its first argument, and says on stdout what it is about to do ("try …") and which version was in use
 * afterwards ("ok 3"). It is killed, or, told so, kills itself at one moment: "written" when a new version's folder is there and not
 * yet registered, "judging" when it is scored on the hold-out.
 */
const [projectDir = '', seed = '1', moment = 'any'] = process.argv.slice(2)
const say = (line: string): number => writeSync(1, `${line}\n`)
const context = { signal: new AbortController().signal, sessionId: 'writer' }
let state = Number(seed)
const random = (below: number): number => {
  // Numerical Recipes' linear congruential generator: any even mixture will do.
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor((state / 2 ** 32) * below)
}

class Writer extends FakeCompute {
  #trained = false

  override async call(...[method, params, options]: Parameters<FakeCompute['call']>): Promise<never> {
    if (method === 'score' && this.#trained && moment === 'judging') die()
    const answer: unknown = await super.call(method, params, options)
    if (method === 'train') {
      this.#trained = true
      if (moment === 'written') die()
    }
    // Whatever the method answers.
    return answer as never
  }
}

function die(): void {
  process.kill(process.pid, 'SIGKILL')
}

async function retrain({ handlers, events }: Backend): Promise<void> {
  const ended = Promise.withResolvers<undefined>()
  let jobId = ''
  const stop = events.on((_, payload) => {
    const { job } = payload as { job?: { id: string; state: string } }
    if (job?.id === jobId && job.state !== 'queued' && job.state !== 'running') ended.resolve(undefined)
  })
  jobId = (await handlers['train.start']({ steps: 3, seconds: 10, seed: 1, show: null }, context)).id
  await ended.promise
  stop()
}

async function step(backend: Backend): Promise<void> {
  const { handlers } = backend
  const { models } = await handlers['project.get']({}, context)
  const others = models.filter(({ active, pruned }) => !active && !pruned)
  const other = others[random(others.length)]
  const turn = random(10)
  if (other === undefined || turn < 4 || moment !== 'any') {
    say('try train')
    await retrain(backend)
  } else if (turn < 8) {
    say(`try use ${other.version}`)
    await handlers['models.activate']({ modelId: other.id, reason: 'to see' }, context)
  } else {
    say(`try keep ${other.version}`)
    const { path } = await handlers['models.export']({ modelId: other.id, fileId: null }, context)
    await handlers['models.prune']({ modelIds: [other.id] }, context)
    const pruned = models.find((model) => model.pruned)
    if (pruned !== undefined && turn === 9) return
    await handlers['models.importVersion']({ fileId: backend.registerFile(path, 'open').id }, context)
  }
}

const compute = new Writer()
compute.label = (scaled, modelDir) => qualityOf(modelDir)(scaled)
const backend = await createBackend({ projectDir, compute, version: '0', shell: 'test' })
for (;;) {
  await step(backend)
  const { models } = await backend.handlers['project.get']({}, context)
  say(`ok ${models.find(({ active }) => active)?.version ?? 0}`)
}
