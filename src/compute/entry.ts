/**
 * The compute process. Started by the host with a pipe as file descriptor 3, which carries frames both ways; standard
 * output and error are for logs only. Ends when the pipe closes: it never outlives its host.
 * Settings: runtime/settings.ts, and `--backend NAME --threads N` before them.
 */
import { enableCompileCache } from 'node:module'
import path from 'node:path'

// Before anything else is loaded: a third of what a start costs is reading the scripts, which the engine can keep.
// Where it cannot, it goes on without.
const { MASKWRIGHT_STATE = '' } = process.env
if (MASKWRIGHT_STATE !== '') enableCompileCache(path.join(MASKWRIGHT_STATE, 'compiled'))

const { run } = await import('./process.ts')
await run(import.meta.filename, process.argv.slice(2))
