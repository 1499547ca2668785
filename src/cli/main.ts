import { run } from './program.ts'

// A reader that went away (`maskwright … | head`) is no failure.
process.stdout.on('error', () => undefined)

process.exitCode = await run(process.argv.slice(2))
