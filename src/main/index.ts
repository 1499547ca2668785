import { findPlaces } from '../backend/host/places.ts'
import { openHost } from '../backend/host/openHost.ts'
import { startApp } from './app.ts'
import { projectArgument } from './arguments.ts'

// Everything up to the first wait runs before Electron is ready: its protocol scheme has to be known by then.
const places = findPlaces()
const log = (line: string) => console.error(`maskwright: ${line}`)

startApp({
  preload: places.preload,
  rendererDir: places.rendererDir,
  platform: process.platform,
  openHost: () =>
    openHost({ places, projectDir: projectArgument(process.argv.slice(1), process.cwd()), shell: 'electron', log }),
  log,
})
