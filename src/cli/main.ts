#!/usr/bin/env bun
import { runCli } from './run.ts'
/** The command `machine-auth`. */
import { createProcessIo } from './terminal/io.ts'

// Whoever reads the output may stop reading, as `head` does.
process.stdout.on('error', () => process.exit(0))

const exitCode = await runCli(process.argv.slice(2), createProcessIo())
// An app's own database or server, loaded by a config file or `routes`, would keep the process; output is written first.
process.stdout.write('', () => process.stderr.write('', () => process.exit(exitCode)))
