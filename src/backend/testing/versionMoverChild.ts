import { readdirSync, writeSync } from 'node:fs'
import { toWireError } from '../../core/contract/errors.ts'
import { createBackend } from '../createBackend.ts'
import { FakeCompute } from './fakeCompute.ts'

/**
 * Run as a process of its own by the test of full disks: imports the version file of its second argument into the project of its
 * first, or, with a third, exports the version in use to it. Says what came of it, which versions there are and which is in
 * use, and what lies in the folder of the versions.
 */
const [projectDir = '', file = '', target = ''] = process.argv.slice(2)
const context = { signal: new AbortController().signal, sessionId: 'mover' }
const backend = await createBackend({ projectDir, compute: new FakeCompute(), version: '0', shell: 'test' })
const { handlers } = backend
let code = 'none'
try {
  if (target === '') {
    await handlers['models.importVersion']({ fileId: backend.registerFile(file, 'open').id }, context)
  } else {
    const { models } = await handlers['project.get']({}, context)
    const modelId = models.find(({ active }) => active)?.id ?? ''
    await handlers['models.export']({ modelId, fileId: backend.registerFile(target, 'save').id }, context)
  }
} catch (error) {
  code = toWireError(error).code
}
const { models } = await handlers['project.get']({}, context)
const versions = models.map(({ version, active }) => ({ version, active }))
writeSync(1, `${JSON.stringify({ code, versions, folders: readdirSync(`${projectDir}/models`) })}\n`)
await backend.close()
