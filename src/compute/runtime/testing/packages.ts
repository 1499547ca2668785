import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'

const packages = createRequire(import.meta.url)
const TENSORFLOW = '@tensorflow/tfjs-node'
/** What it asks for without saying so in its manifest. */
const UNDECLARED = ['@tensorflow/tfjs-core']

/** Inside of its package, the libraries of ONNX Runtime for this system. */
const ONNX_FOLDER = `bin/napi-v6/${process.platform}/${process.arch}`

/** A folder for optional packages (MASKWRIGHT_PACKAGES), to be removed by the test. */
export interface PackagesFolder {
  readonly dir: string
  /** A package of one script, with a file where its library would be: TensorFlow's or ONNX Runtime's. */
  add(name: string, script: string): void
  /** The real tfjs-node, with its dependencies, and with this text for a library. Returns the library's path. */
  addTensorflow(library: string): string
  remove(): void
}

export function packagesFolder(): PackagesFolder {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'maskwright-packages-'))
  const modules = path.join(dir, 'node_modules')
  return {
    dir,
    add(name, script) {
      const folder = path.join(modules, name)
      const libraries = ['lib/napi-v8/tfjs_binding.node', `${ONNX_FOLDER}/onnxruntime_binding.node`]
      for (const library of libraries) {
        mkdirSync(path.join(folder, path.dirname(library)), { recursive: true })
        writeFileSync(path.join(folder, library), 'no library')
      }
      writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name, version: '0.0.1', main: 'index.js' }))
      writeFileSync(path.join(folder, 'index.js'), script)
    },
    addTensorflow(library) {
      const manifest = packages.resolve(`${TENSORFLOW}/package.json`)
      const folder = path.join(modules, TENSORFLOW)
      mkdirSync(folder, { recursive: true })
      cpSync(manifest, path.join(folder, 'package.json'))
      cpSync(path.join(path.dirname(manifest), 'dist'), path.join(folder, 'dist'), { recursive: true })
      for (const name of [...dependencies(manifest), ...UNDECLARED]) {
        const link = path.join(modules, name)
        mkdirSync(path.dirname(link), { recursive: true })
        symlinkSync(folderOf(name, manifest), link, 'junction')
      }
      const binding = path.join(folder, 'lib', 'napi-v8', 'tfjs_binding.node')
      mkdirSync(path.dirname(binding), { recursive: true })
      writeFileSync(binding, library)
      return binding
    },
    remove() {
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

function dependencies(manifest: string): string[] {
  const content: unknown = JSON.parse(readFileSync(manifest, 'utf8'))
  const listed: unknown = typeof content === 'object' && content !== null && Reflect.get(content, 'dependencies')
  return Object.keys(typeof listed === 'object' && listed !== null ? listed : {})
}

/** Not by its manifest, which a package need not give away. */
function folderOf(name: string, from: string): string {
  const places = createRequire(from).resolve.paths(name) ?? []
  const place = places.map((each) => path.join(each, name)).find((each) => exists(path.join(each, 'package.json')))
  if (place === undefined) throw new Error(`${name} is not installed.`)
  return place
}

function exists(file: string): boolean {
  try {
    readFileSync(file)
    return true
  } catch {
    return false
  }
}
