// Idempotent set-up: dependencies, the pinned Node, and the build. Runs on any Node >= 18 without a dependency.
//
// Install scripts of packages are switched off (.npmrc): nothing that comes from the registry runs code at install. The
// two that are needed are run from here, by name and with a time limit: the `node` package fetches its binary, and
// Electron its own (only `npm start` asks for that, since the browser shell works without).
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const cache = join(root, 'node_modules', '.maskwright')
export const nodeBinary = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'

export function say(line) {
  process.stderr.write(`maskwright: ${line}\n`)
}

/** Runs a command; its output goes to stderr, so that stdout stays with whoever called. Throws when it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', options.quiet ? 'pipe' : 2, options.quiet ? 'pipe' : 2],
    shell: process.platform === 'win32' && command === npm,
    env: { ...process.env, ...options.env },
    timeout: options.timeout,
    encoding: 'utf8',
  })
  if (result.status !== 0) {
    if (options.quiet) process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`)
    const why = result.error ? result.error.message : `it ended with ${String(result.status ?? result.signal)}`
    throw new Error(`${options.what ?? `${command} ${args.join(' ')}`} failed: ${why}.`)
  }
}

function stampOf(...parts) {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part).update('\0')
  return hash.digest('hex')
}

function readStamp(name) {
  try {
    return readFileSync(join(cache, name), 'utf8')
  } catch {
    return ''
  }
}

function writeStamp(name, value) {
  mkdirSync(cache, { recursive: true })
  writeFileSync(join(cache, name), value)
}

/** Installs what package-lock.json says, only when it differs from what was installed last. */
export function installPackages() {
  const stamp = stampOf(readFileSync(join(root, 'package.json')), readFileSync(join(root, 'package-lock.json')))
  if (readStamp('packages') === stamp && existsSync(nodeBinary)) return false
  const installed = readStamp('packages') === stamp || isInstalled()
  if (!installed) {
    say('installing dependencies (npm ci); this takes a minute the first time')
    run(npm, ['ci', '--no-audit', '--no-fund', '--loglevel', 'error'], { what: 'npm ci', quiet: true })
  }
  if (!existsSync(nodeBinary)) {
    say('fetching the pinned Node from the registry')
    run(npm, ['rebuild', 'node', '--ignore-scripts=false', '--loglevel', 'error'], {
      what: 'setting up Node',
      quiet: true,
    })
  }
  if (!existsSync(nodeBinary)) throw new Error('The pinned Node could not be set up: node_modules/node/bin is empty.')
  writeStamp('packages', stamp)
  return true
}

/** True when someone ran `npm ci` or `npm install` by hand and node_modules already matches the lock file. */
function isInstalled() {
  try {
    const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
    const have = JSON.parse(readFileSync(join(root, 'node_modules', '.package-lock.json'), 'utf8')).packages
    // Of the optional ones those that we name; npm leaves out many others, which are for other systems.
    const named = new Set(Object.keys(wanted[''].optionalDependencies ?? {}).map((name) => `node_modules/${name}`))
    const mayMiss = (path, entry) => path === '' || entry.peer === true || (entry.optional === true && !named.has(path))
    return Object.entries(wanted).every(
      ([path, entry]) => mayMiss(path, entry) || have[path]?.version === entry.version,
    )
  } catch {
    return false
  }
}

/** Hash over names, sizes and contents of the files that the build reads. */
function sourceStamp() {
  const hash = createHash('sha256')
  const visit = (path) => {
    const info = statSync(path)
    if (info.isDirectory()) {
      for (const name of readdirSync(path).sort()) visit(join(path, name))
    } else if (!path.endsWith('.test.ts')) {
      hash.update(relative(root, path)).update('\0').update(readFileSync(path)).update('\0')
    }
  }
  for (const name of ['src', 'electron.vite.config.ts', 'package.json', 'package-lock.json']) visit(join(root, name))
  return hash.digest('hex')
}

/** Builds out/ when a source changed since the last build. */
export function build() {
  const stamp = sourceStamp()
  const built = ['main/index.js', 'main/cli.js', 'main/compute.js', 'preload/index.cjs', 'renderer/index.html']
  if (readStamp('build') === stamp && built.every((file) => existsSync(join(root, 'out', file)))) return false
  say('building the workstation')
  rmSync(join(cache, 'build'), { force: true })
  run(
    nodeBinary,
    [join(root, 'node_modules', 'electron-vite', 'bin', 'electron-vite.js'), 'build', '--logLevel', 'warn'],
    {
      what: 'the build',
      quiet: true,
    },
  )
  writeStamp('build', stamp)
  return true
}

/** The Electron binary's path where it is installed, else null. */
export function electronBinary() {
  const folder = join(root, 'node_modules', 'electron')
  try {
    const name = readFileSync(join(folder, 'path.txt'), 'utf8').trim()
    const path = join(process.env.ELECTRON_OVERRIDE_DIST_PATH ?? join(folder, 'dist'), name)
    return existsSync(path) ? path : null
  } catch {
    return null
  }
}

/**
 * Makes sure that Electron's binary is there; gives up after `seconds`. A failure is remembered for a day, so that a
 * machine without access starts in seconds the next time.
 * @returns {Promise<{ path: string } | { reason: string }>}
 */
export async function ensureElectron(seconds, { retry = false } = {}) {
  const present = electronBinary()
  if (present !== null) return { path: present }
  const remembered = readStamp('electron-failed').split('\n')
  if (!retry && remembered.length === 2 && Date.now() - Number(remembered[0]) < 86_400_000) {
    return { reason: `${remembered[1]} (tried less than a day ago)` }
  }
  say(`looking for Electron's binary (at most ${String(seconds)} s)`)
  const reason = await new Promise((done) => {
    const child = spawn(nodeBinary, ['install.js'], {
      cwd: join(root, 'node_modules', 'electron'),
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let errors = ''
    child.stderr.setEncoding('utf8').on('data', (text) => (errors += text))
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      done(`its download took longer than ${String(seconds)} s`)
    }, seconds * 1000)
    child.on('error', (error) => {
      clearTimeout(timer)
      done(error.message)
    })
    child.on('close', (code) => {
      clearTimeout(timer)
      const first = errors.split('\n').find((line) => line.trim() !== '') ?? `its installer ended with ${String(code)}`
      done(code === 0 ? null : `it could not be downloaded: ${first.trim()}`)
    })
  })
  const path = electronBinary()
  if (path !== null) return { path }
  const why = reason ?? 'its installer left no binary'
  writeStamp('electron-failed', `${String(Date.now())}\n${why.replace(/\n/g, ' ')}`)
  return { reason: why }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const major = Number(process.versions.node.split('.')[0])
  if (major < 20) {
    say(`Node ${process.versions.node} is too old to set up Maskwright: install Node 20 or newer.`)
    process.exit(1)
  }
  try {
    const installed = installPackages()
    const built = process.argv.includes('--no-build') ? false : build()
    if (!installed && !built) say('everything is set up')
  } catch (error) {
    say(error instanceof Error ? error.message : String(error))
    process.exit(1)
  }
}
