#!/usr/bin/env bun
/**
 * Every check of the project, in one command: `bun run check`.
 * With `--static` all but the tests: format, lint, types, imports.
 */
import { join } from 'node:path'
import { runSteps, type Step } from './checks/steps.ts'

/** Tools of this project under Bun, so that none needs Node, and never fetched. */
const tool = ['--bun', 'x', '--no-install']
const STATIC: readonly Step[] = [
  { name: 'format and lint', args: [...tool, 'biome', 'check', '--error-on-warnings'] },
  { name: 'types and type tests', args: [...tool, 'tsc', '--noEmit', '-p', '.'] },
  { name: 'import direction', args: ['scripts/check-imports.ts'] },
]
const TESTS: Step = { name: 'tests', args: ['run', 'test'] }

const options = process.argv.slice(2)
const unknown = options.find((option) => option !== '--static')
if (unknown !== undefined) {
  console.error(`unknown option ${unknown}; there is only --static`)
  process.exit(2)
}

const failed = await runSteps(options.includes('--static') ? STATIC : [...STATIC, TESTS], join(import.meta.dir, '..'))
if (failed.length > 0) {
  console.error(`check failed: ${failed.join(', ')}`)
  process.exit(1)
}
