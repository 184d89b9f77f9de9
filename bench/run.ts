/**
 * All figures in one table: `bun run bench [--quick] [groups]`, such as `bun run bench guards peers`.
 *
 * Writes `bench/results.json` and what is made of it: `bench/results.md`, the tables of `docs/performance.md` and of
 * README, and the plots. Exit code 1 when a group failed; a goal that is missed is no failure.
 */
import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import elysia from 'elysia/package.json' with { type: 'json' }
import { goalOf } from './goals.ts'
import { measureGroup } from './group-process.ts'
import { GROUP_NAMES, GROUPS, type GroupName, isGroupName } from './groups.ts'
import { createProgress, formatDuration, remaining } from './progress.ts'
import { publish } from './publish.ts'
import type { Result } from './report.ts'
import { type GroupRun, mergeResults, RESULTS_FILE, type Results, readResults } from './results.ts'
import { exitOnSignals } from './signals.ts'
import { countGoals, formatTable } from './table.ts'

const words = process.argv.slice(2)
const isQuick = words.includes('--quick')
const named = words.filter((word) => word !== '--quick')
const unknown = named.filter((name) => !isGroupName(name))
if (unknown.length > 0) {
  console.error(`There is no ${unknown.join(', ')}; groups are: ${GROUP_NAMES.join(', ')}`)
  process.exit(2)
}
exitOnSignals()

const chosen = GROUP_NAMES.filter((name) => named.length === 0 || named.includes(name))
const before = readResults()
const VERSIONS = { Bun: Bun.version, elysia: elysia.version }
const PROCESSOR = `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'an unknown processor'}`

function expectedSeconds(name: GroupName): number {
  const former = before[name]
  if (former !== undefined && former.isQuick === isQuick && former.failure === undefined) return former.seconds
  return GROUPS[name].seconds[isQuick ? 1 : 0]
}

/** Of one table, whoever measures; a goal that is not in it is the bench's own. What is not judged stays so. */
function withGoal(result: Result): Result {
  if (result.goal === undefined) return result
  const goal = goalOf(result.group, result.name)
  return goal === undefined ? { ...result, isOwnGoal: true } : { ...result, goal }
}

const progress = createProgress(process.stderr, () => performance.now())
const runs: Record<string, GroupRun> = {}
for (const [index, name] of chosen.entries()) {
  const began = performance.now()
  const expected = chosen.slice(index).map(expectedSeconds)
  let doing = ''
  const show = () => {
    const left = formatDuration(remaining(expected, (performance.now() - began) / 1000))
    progress.show(`[${index + 1}/${chosen.length}] ${name}, about ${left} left: ${doing}`)
  }
  const ticks = setInterval(show, 1000)
  const measured = await measureGroup(name, isQuick, (text) => {
    doing = text
    show()
  })
  clearInterval(ticks)
  runs[name] = {
    ...{ date: new Date().toISOString(), isQuick, seconds: Math.round((performance.now() - began) / 1000) },
    ...{ versions: VERSIONS, processor: PROCESSOR },
    ...(measured.failure !== undefined && { failure: measured.failure }),
    results: measured.results.map(withGoal),
  }
  // Also of a run that is broken off.
  const merged = mergeResults(before, runs, GROUP_NAMES)
  writeFileSync(RESULTS_FILE, `${JSON.stringify(merged, null, 2)}\n`)
  publish(merged)
}
progress.clear()

const measured: Results = runs
console.log(formatTable(measured))
const { goals, missed } = countGoals(measured)
console.log(`\n${goals - missed.length} of ${goals} goals met`)
if (Object.values(measured).some(({ failure }) => failure !== undefined)) process.exitCode = 1
