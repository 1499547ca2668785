import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { tinyNetwork } from '../../foreign/testing/networks.ts'

const home = mkdtempSync(join(tmpdir(), 'maskwright-quiet-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

const program = `
  import { loadOnnxRuntime } from './src/compute/native/session/package.ts'
  const chunks = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  const session = await loadOnnxRuntime(null).createSession(new Uint8Array(Buffer.concat(chunks)), {})
  console.log(session.inputNames.join())
  await session.release()
`

describe('ONNX Runtime reports nothing', () => {
  it('keeps no device id and no reports in the user folder', () => {
    // Under continuous integration the library is quiet by itself, so that its variables are taken away.
    const { CI: _ci, GITHUB_ACTIONS: _actions, TF_BUILD: _build, ORT_DISABLE_TELEMETRY: _off, ...env } = process.env
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', program], {
      cwd: join(import.meta.dirname, '..', '..', '..', '..'),
      input: tinyNetwork({}),
      env: { ...env, HOME: home, XDG_CACHE_HOME: join(home, 'cache') },
      encoding: 'utf8',
    })
    expect({ status, stdout, stderr }).toMatchObject({ status: 0, stdout: 'image\n' })
    expect(readdirSync(home, { recursive: true }).map(String)).toEqual([])
  })
})
