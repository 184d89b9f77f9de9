/** What `machine-auth doctor` does. */
import type { Command } from 'commander'
import { CHECKS, type Finding } from '../doctor/checks.ts'
import { gatherFacts } from '../doctor/gather.ts'
import { readGlobals } from '../settings.ts'
import { type Cli, outputOf } from '../with-core.ts'

interface Row extends Finding {
  readonly check: string
}

/** Nothing is cut here: what to do must be readable whole. */
function format(rows: readonly Row[]): readonly string[] {
  const width = Math.max(...CHECKS.map(({ name }) => name.length))
  return rows.flatMap(({ state, check, detail, mend }) => [
    `${state.padEnd(4)}  ${check.padEnd(width)}  ${detail}`,
    ...(mend === null ? [] : [`${' '.repeat(6 + width)}  → ${mend}`]),
  ])
}

export async function examine(cli: Cli, self: Command): Promise<void> {
  const facts = await gatherFacts(cli.io, readGlobals(self))
  const rows = CHECKS.flatMap(({ name, run }) => run(facts).map((finding) => ({ check: name, ...finding })))
  const isHealthy = rows.every(({ state }) => state !== 'fail')
  if (!isHealthy) cli.exitCode = 1
  const output = outputOf(cli, self)
  if (output.isJson) output.json({ healthy: isHealthy, checks: rows })
  else for (const line of format(rows)) output.line(line)
}
