#!/usr/bin/env bun
/**
 * The tests that kill, freeze or restart processes: `bun run test:system [part of a file's name]`.
 * The whole run is bounded; what it leaves behind is ended with it.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'

const PATTERN = 'test/system/*.system.ts'
const TEST_TIMEOUT_MS = 60_000
const TOTAL_TIMEOUT_MS = 10 * 60_000

const root = join(import.meta.dir, '..')
const [part = ''] = process.argv.slice(2)
const all = (await Array.fromAsync(new Bun.Glob(PATTERN).scan(root))).sort()
const chosen = all.filter((file) => file.includes(part))

if (chosen.length === 0) {
  console.log(
    all.length === 0 ? `no system tests: ${PATTERN} matches nothing` : `no system test is named like "${part}"`,
  )
  process.exit(all.length === 0 ? 0 : 1)
}

// A group of its own, so that the servers the tests start can be ended together with them.
const args = ['test', '--timeout', String(TEST_TIMEOUT_MS), ...chosen.map((file) => `./${file}`)]
const run = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], detached: true })

function end(): void {
  if (run.pid === undefined) return
  try {
    process.kill(-run.pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

const timer = setTimeout(() => {
  console.error(`system tests stopped: not done after ${TOTAL_TIMEOUT_MS / 60_000} minutes`)
  end()
}, TOTAL_TIMEOUT_MS)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end)

run.on('error', (error) => {
  console.error(`bun could not be started: ${error.message}`)
  process.exit(1)
})
run.on('exit', (code) => {
  clearTimeout(timer)
  end()
  process.exit(code ?? 1)
})
