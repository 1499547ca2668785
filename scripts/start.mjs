// `npm start`: sets up what is missing, builds what changed, opens the workstation.
//   npm start -- [--browser] [--no-open] [--port N] [--project DIR]
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { build, ensureElectron, installPackages, nodeBinary, root, say } from './setup.mjs'

const usage = 'usage: npm start -- [--browser] [--no-open] [--port N] [--project DIR]'
const secondsForElectron = 45

function options() {
  try {
    const { values } = parseArgs({
      options: {
        browser: { type: 'boolean', default: false },
        'no-open': { type: 'boolean', default: false },
        port: { type: 'string' },
        project: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.port !== undefined && !/^\d{1,5}$/.test(values.port))
      throw new Error(`--port ${values.port} is not a number`)
    return values
  } catch (error) {
    say(`${error instanceof Error ? error.message : String(error)}; ${usage}`)
    process.exit(2)
  }
}

/** Runs to its end with the terminal's signals; resolves with how it ended. */
function hand(command, args, env) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } })
    const pass = (signal) => child.kill(signal)
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
    for (const signal of signals) process.on(signal, pass)
    const end = (code) => {
      for (const signal of signals) process.off(signal, pass)
      resolve(code)
    }
    child.on('error', (error) => {
      say(`${command} could not be started: ${error.message}`)
      end(1)
    })
    child.on('close', (code, signal) => end(code ?? (signal === 'SIGINT' ? 130 : 1)))
  })
}

const chosen = options()
if (chosen.help) {
  process.stdout.write(`${usage}\n`)
  process.exit(0)
}
if (Number(process.versions.node.split('.')[0]) < 20) {
  say(`Node ${process.versions.node} is too old to set up Maskwright: install Node 20 or newer.`)
  process.exit(1)
}

try {
  installPackages()
  build()
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
  process.exit(1)
}

const browserAsked = chosen.browser || chosen['no-open'] || chosen.port !== undefined
const noDisplay =
  process.platform === 'linux' && process.env.DISPLAY === undefined && process.env.WAYLAND_DISPLAY === undefined
const electron = browserAsked
  ? { reason: 'it was asked for' }
  : noDisplay
    ? { reason: 'there is no display for a window' }
    : await ensureElectron(secondsForElectron)

/** An Electron that ends this soon with an error could not start at all: a library or the display is missing. */
const failsWithinMs = 5000

async function openDesktop(path) {
  say('opening the desktop window (Electron)')
  // Chromium's sandbox does not start for root on Linux; the page stays sandboxed from Node either way.
  const asRoot = process.platform === 'linux' && process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const started = Date.now()
  const code = await hand(
    path,
    [...asRoot, root, ...(chosen.project === undefined ? [] : ['--project', chosen.project])],
    {
      MASKWRIGHT_NODE: nodeBinary,
    },
  )
  return code !== 0 && code !== 130 && Date.now() - started < failsWithinMs
    ? { reason: 'the desktop window could not start on this machine' }
    : { code }
}

async function openBrowserShell(reason) {
  say(`opening the browser shell, because ${reason}`)
  return await hand(nodeBinary, [
    join(root, 'out', 'main', 'cli.js'),
    'serve',
    ...(chosen.project === undefined ? [] : [chosen.project]),
    ...(chosen.port === undefined ? [] : ['--port', chosen.port]),
    ...(chosen['no-open'] ? ['--no-open'] : []),
  ])
}

const desktop = 'path' in electron ? await openDesktop(electron.path) : electron
process.exit('code' in desktop ? desktop.code : await openBrowserShell(desktop.reason))
