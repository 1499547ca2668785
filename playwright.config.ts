import { defineConfig } from '@playwright/test'

/**
 * One suite over both shells. `electron` runs where Electron's binary is installed and reports its tests as skipped
 * elsewhere; `browser` uses the Chromium named by MASKWRIGHT_CHROMIUM, or Playwright's own.
 */
export default defineConfig({
  testDir: 'e2e/specs',
  outputDir: 'test-results/e2e',
  // One at a time: every test has a backend, a compute process and a browser of its own on maybe two cores.
  workers: 1,
  retries: 0,
  timeout: 180_000,
  expect: { timeout: 15_000 },
  use: { viewport: { width: 1440, height: 900 } },
  projects: [{ name: 'browser' }, { name: 'electron' }],
})
