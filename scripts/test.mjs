// `npm test`: installs what the tests need, then lint, types, unit, integration and end-to-end tests. Runs all steps
// even when one fails; the last line is the total.
//   npm test -- [lint] [types] [unit] [e2e]     only these
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build, installPackages, nodeBinary, root, run, say } from './setup.mjs'

const only = process.argv.slice(2)
const unknown = only.filter((name) => !['lint', 'types', 'unit', 'e2e'].includes(name))
if (unknown.length > 0) {
  say(`there is no test step named ${unknown.join(', ')}; the steps are lint, types, unit, e2e`)
  process.exit(2)
}
const wanted = (name) => only.length === 0 || only.includes(name)
const results = join(root, 'test-results')
const total = { passed: 0, failed: 0, skipped: 0 }

function step(name, work) {
  const started = Date.now()
  const { passed, failed, skipped = 0 } = work()
  total.passed += passed
  total.failed += failed
  total.skipped += skipped
  const seconds = ((Date.now() - started) / 1000).toFixed(0)
  say(`${name}: ${String(passed)} passed, ${String(failed)} failed, ${String(skipped)} skipped (${seconds} s)`)
}

/** A tool that either passes or does not counts as one test. */
function tool(name, args) {
  step(name, () => {
    const [script, ...rest] = args
    const ended = spawnSync(nodeBinary, [join(root, 'node_modules', script), ...rest], {
      cwd: root,
      stdio: ['ignore', 2, 2],
    })
    return ended.status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
  })
}

/**
 * Runs a test runner that writes a JSON report; no report means that the runner itself broke, which is a failure.
 * @param {(report: unknown) => {passed: number, failed: number, skipped: number}} count
 */
function suite(name, script, args, report, count, env = {}) {
  step(name, () => {
    rmSync(report, { force: true })
    const ended = spawnSync(nodeBinary, [join(root, 'node_modules', script), ...args], {
      cwd: root,
      stdio: ['ignore', 2, 2],
      env: { ...process.env, ...env },
    })
    try {
      const counted = count(JSON.parse(readFileSync(report, 'utf8')))
      // Red without a red test: an error outside any test, such as an unhandled rejection or a file that did not load.
      if (ended.status !== 0 && counted.failed === 0) counted.failed = 1
      return counted
    } catch {
      say(`${name}: no report was written; the runner ended with ${String(ended.status ?? ended.signal)}`)
      return { passed: 0, failed: 1 }
    }
  })
}

function isRootOnDebian() {
  return process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/etc/debian_version')
}

function hasDebianPackage(name) {
  const ended = spawnSync('dpkg-query', ['-W', '-f', '${Status}', name], { encoding: 'utf8' })
  return ended.status === 0 && ended.stdout.includes('install ok installed')
}

/**
 * Packages that tests compare with, and the browser, which the unit tests need as well: SwiftShader, a graphics card in
 * software, comes with it, and libvulkan1 is how WebGPU reaches that. Elsewhere the tests that need them say that they
 * are skipped.
 */
function installSystemPackages() {
  const names = [
    ...['python3-nibabel', 'python3-onnx', 'python3-torch', 'chromium', 'libvulkan1'],
    // Other people's readers and writers of images.
    ...['python3-pil', 'python3-pydicom', 'python3-gdcm', 'python3-scipy', 'python3-skimage', 'python3-tifffile'],
    ...['dcm2niix', 'dcmtk', 'libgdcm-tools', 'libvips-tools', 'plastimatch', 'teem-apps'],
  ]
  if (!isRootOnDebian()) {
    say(`not root on Debian: ${names.join(', ')} are used where they are installed already`)
    return
  }
  const missing = names.filter((name) => !hasDebianPackage(name))
  if (missing.length === 0) return
  say(`installing ${missing.join(', ')} from Debian`)
  try {
    const env = { DEBIAN_FRONTEND: 'noninteractive' }
    run('apt-get', ['update', '-qq'], { quiet: true, env, timeout: 300_000 })
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], {
      quiet: true,
      env,
      timeout: 900_000,
    })
  } catch (error) {
    say(`${error instanceof Error ? error.message : String(error)} The tests that need them are skipped.`)
  }
}

/** Debian's Chromium where there is one; else Playwright's own, downloaded if need be. */
function findBrowser() {
  for (const path of ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']) {
    if (existsSync(path)) return { MASKWRIGHT_CHROMIUM: path }
  }
  const ended = spawnSync(nodeBinary, [join(root, 'node_modules/playwright/cli.js'), 'install', 'chromium'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    timeout: 600_000,
  })
  return ended.status === 0 ? {} : null
}

try {
  installPackages()
  if (wanted('unit') || wanted('e2e')) {
    installSystemPackages()
    build()
  }
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
  process.stdout.write('0 passed, 1 failed\n')
  process.exit(1)
}
mkdirSync(results, { recursive: true })

if (wanted('lint')) {
  tool('format', ['prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'])
  tool('lint', ['eslint/bin/eslint.js', '--max-warnings', '0', '.'])
  tool('unused code', ['knip/bin/knip.js', '--no-progress'])
}
if (wanted('types')) {
  tool('types of Node code', ['typescript/bin/tsc', '-p', 'tsconfig.node.json'])
  tool('types of the end-to-end tests and benchmarks', ['typescript/bin/tsc', '-p', 'tsconfig.e2e.json'])
  tool('types of the page', ['vue-tsc/bin/vue-tsc.js', '-p', 'tsconfig.web.json'])
}
if (wanted('unit')) {
  const report = join(results, 'unit.json')
  suite(
    'unit and integration tests',
    'vitest/vitest.mjs',
    ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    report,
    (json) => ({
      passed: json.numPassedTests,
      failed:
        json.numFailedTests +
        json.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length,
      skipped: json.numPendingTests + json.numTodoTests,
    }),
  )
}
if (wanted('e2e')) {
  const browser = findBrowser()
  if (browser === null) {
    say('no Chromium could be found or downloaded: the end-to-end tests cannot run, which counts as a failure')
    total.failed += 1
  } else {
    const report = join(results, 'e2e.json')
    suite(
      'end-to-end tests',
      '@playwright/test/cli.js',
      ['test', '--reporter=list,json'],
      report,
      (json) => ({
        passed: json.stats.expected + json.stats.flaky,
        failed: json.stats.unexpected,
        skipped: json.stats.skipped,
      }),
      { ...browser, PLAYWRIGHT_JSON_OUTPUT_NAME: report },
    )
  }
}

const skipped = total.skipped > 0 ? `, ${String(total.skipped)} skipped` : ''
process.stdout.write(`${String(total.passed)} passed, ${String(total.failed)} failed${skipped}\n`)
process.exit(total.failed === 0 ? 0 : 1)
