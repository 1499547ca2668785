#!/usr/bin/env node
// The command line of a set-up checkout or an installed package: runs the built code when it is there and no source is
// newer, else the source, on the Node that the workstation brings along.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const built = join(root, 'out', 'main', 'cli.js')
const source = join(root, 'src', 'cli', 'main.ts')
const ownNode = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')

/** When the newest file that the command line is built from was changed, in ms. */
function newestSource(folder) {
  let newest = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      if (entry.name !== 'renderer' && entry.name !== 'testing') newest = Math.max(newest, newestSource(path))
    } else if (!entry.name.endsWith('.test.ts')) newest = Math.max(newest, statSync(path).mtimeMs)
  }
  return newest
}

function chooseEntry() {
  if (!existsSync(source)) return built
  return existsSync(built) && statSync(built).mtimeMs >= newestSource(join(root, 'src')) ? built : source
}

const entry = chooseEntry()
if (Number(process.versions.node.split('.')[0]) >= 24) {
  await import(pathToFileURL(entry).href)
} else if (!existsSync(ownNode)) {
  process.stderr.write('error: Maskwright is not set up; run "npm start" or "npm run setup" once.\n')
  process.exitCode = 1
} else {
  const child = spawn(ownNode, [entry, ...process.argv.slice(2)], { stdio: 'inherit' })
  // Those from a terminal it has already; it takes the second for an echo.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    process.stderr.write(`error: ${error.message}\n`)
    process.exitCode = 1
  })
  child.on('close', (code) => {
    process.exitCode = code ?? 1
  })
}
