import { fork, spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import path from 'node:path'
import util from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { cudaComplaint, loadFailure, missingNativeTensorflow } from './nativeTensorflow.ts'
import { probeWay } from './probe.ts'
import { packagesFolder } from './testing/packages.ts'
import type { PackagesFolder } from './testing/packages.ts'
import type { Proof } from './proof.ts'

const MINUTES = 60_000
const TENSORFLOW = '@tensorflow/tfjs-node'
const entry = path.resolve(import.meta.dirname, '../entry.ts')
const SENTENCE = /^["A-Z][^\n]*\.$/

const folders: PackagesFolder[] = []

function folder(): PackagesFolder {
  const made = packagesFolder()
  folders.push(made)
  return made
}

afterEach(() => {
  for (const each of folders.splice(0)) each.remove()
})

async function tried(packages: PackagesFolder): Promise<Proof> {
  return await probeWay('tensorflow', { entry, threads: 1, env: { MASKWRIGHT_PACKAGES: packages.dir } })
}

describe('missingNativeTensorflow', () => {
  it('says in a sentence what is missing, and loads nothing to find out', () => {
    const missing = missingNativeTensorflow('cuda', null, false)
    expect(missing?.reason).toBe('No NVIDIA graphics driver was found on this computer.')
    expect(missing?.remedy).toMatch(/CUDA 11\.2/)
    const packages = folder()
    packages.add(TENSORFLOW, 'throw new Error("loaded")')
    expect(missingNativeTensorflow('tensorflow', packages.dir)).toBeNull()
    expect('isNullOrUndefined' in util).toBe(false)
  })

  it('tells a package without its library from none', () => {
    const here = missingNativeTensorflow('tensorflow', null)
    // The package's JavaScript may be there; its library, which a script would download, is not in a test.
    expect(here?.reason).toMatch(/is not installed\.$|is here, but its TensorFlow library is not\.$/)
    expect(here?.remedy).toMatch(/"npm (install|rebuild) @tensorflow\/tfjs-node/)
  })
})

describe('a TensorFlow library that is not as it should be', () => {
  it.each([
    ['/x/tfjs_binding.node: invalid ELF header', 'damaged or made for another system', /downloads it/],
    ['/x/tfjs_binding.node: wrong ELF class: ELFCLASS32', 'damaged or made for another system', /downloads it/],
    ['\\\\?\\C:\\x\\tfjs_binding.node is not a valid Win32 application.', 'damaged or made', /downloads it/],
    ['The specified module could not be found.\n\\\\?\\C:\\x', 'a library that it needs is missing', /downloads it/],
    [
      'libtensorflow.so.2: cannot open shared object file: No such file or directory',
      'libtensorflow.so.2 is missing',
      /downloads it/,
    ],
    ['libcudart.so.11.0: cannot open shared object file', 'does not find libcudart.so.11.0', /CUDA 11\.2/],
    ["/lib/libm.so.6: version `GLIBC_2.38' not found (required by /x)", 'newer system (GLIBC_2.38)', /update/],
  ])('%s', (message, reason, remedy) => {
    const error = Object.assign(new Error(message), { code: 'ERR_DLOPEN_FAILED' })
    const refusal = loadFailure(error, TENSORFLOW)
    expect(refusal.message).toContain(reason)
    expect(refusal.message).toMatch(SENTENCE)
    expect(refusal.remedy).toMatch(remedy)
    expect(refusal.detail).toContain(message)
  })

  it('says what a CUDA build prints when it goes on without a card', () => {
    expect(cudaComplaint("W Could not load dynamic library 'libcudnn.so.8'; dlerror: no")).toContain('libcudnn.so.8')
    expect(cudaComplaint('E failed call to cuInit: CUDA_ERROR_NO_DEVICE')).toContain('no graphics card')
    expect(cudaComplaint('Created device /job:localhost/replica:0/task:0/device:GPU:0')).toBeNull()
  })

  it(
    'is a sentence where a text lies in its place',
    async () => {
      const packages = folder()
      packages.addTensorflow('This is no library.')
      const proof = await tried(packages)
      expect(proof).toMatchObject({ ok: false, selfTest: null, stepMs: null })
      expect(proof.reason).toBe(`The TensorFlow library of ${TENSORFLOW} is damaged or made for another system.`)
      expect(proof.remedy).toContain(`npm rebuild ${TENSORFLOW} --ignore-scripts=false`)
      expect(proof.detail).toMatch(/tfjs_binding\.node/)
    },
    MINUTES,
  )

  it(
    'is a sentence where it ends the process while it is loaded, with what it printed last',
    async () => {
      const packages = folder()
      packages.add(TENSORFLOW, 'require("fs").writeSync(2, "driver: no such unit\\n"); process.abort()')
      const proof = await tried(packages)
      expect(proof.ok).toBe(false)
      expect(proof.reason).toMatch(/^It crashed when it was tried: .*\.$/)
      if (process.platform !== 'win32') expect(proof.reason).toContain('SIGABRT')
      expect(proof.remedy).toMatch(SENTENCE)
      expect(proof.detail).toContain('driver: no such unit')
    },
    MINUTES,
  )

  it(
    'is a sentence where the package itself fails',
    async () => {
      const packages = folder()
      packages.add(TENSORFLOW, 'throw new TypeError("x is not a function")')
      expect(await tried(packages)).toMatchObject({
        ok: false,
        reason: `The package ${TENSORFLOW} could not be loaded.`,
      })
    },
    MINUTES,
  )
})

describe.skipIf(!hasTensorflow())(
  'tfjs-node on this Node (skipped where the optional package is not installed)',
  () => {
    it('runs until it looks for its library', () => {
      const script = `try { require(${JSON.stringify(TENSORFLOW)}) } catch (error) { console.log(error.message) }`
      const { stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', cwd: import.meta.dirname })
      expect(stdout).toContain('The Node.js native addon module (tfjs_binding.node) can not be found')
    })

    it(
      'starts and computes with the functions of util that Node 23 removed put back',
      async () => {
        const packages = folder()
        packages.addTensorflow('stands for the library')
        const child = path.resolve(import.meta.dirname, 'testing/tensorflowChild.ts')
        const answer = await new Promise((resolve, reject) => {
          const process_ = fork(child, [packages.dir], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv: [] })
          let printed = ''
          process_.stderr?.on('data', (chunk: Buffer) => (printed += chunk.toString()))
          process_.once('message', resolve)
          process_.once('close', () => {
            reject(new Error(printed))
          })
        })
        expect(answer).toEqual({ backend: 'tensorflow', sum: [4, 6], calls: ['Add 1'], given: true })
      },
      MINUTES,
    )
  },
)

function hasTensorflow(): boolean {
  try {
    createRequire(import.meta.url).resolve(`${TENSORFLOW}/package.json`)
    return true
  } catch {
    return false
  }
}
