/**
 * What it costs to record requests, as ratios to the same route with recording off, and to a bare Elysia route, all of
 * them in one run: `bun bench/recording.ts [rounds] [seconds] [variants]`.
 *
 * Databases are files. Rounds are interleaved, so that a machine that slows down slows everything down; medians are
 * printed. On a machine that others use too, processor time per request is steadier than the rate.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import elysia from 'elysia/package.json' with { type: 'json' }
import { median } from './median.ts'
import { SETTINGS, type Variant } from './recording-server.ts'
import { measure, type Reading } from './wrk.ts'

const rounds = Number(process.argv[2] ?? 3)
const seconds = Number(process.argv[3] ?? 6)
const names = Object.keys(SETTINGS) as Variant[]
/** Only these: `bun bench/recording.ts 5 6 bare off default`. */
const chosen = names.filter((name) => process.argv.length < 5 || process.argv.includes(name))

/** What a variant is compared to. */
function offOf(variant: Variant): Variant {
  if (variant.endsWith('-1000')) return 'off-1000'
  return variant === 'everything' ? 'limited-off' : 'off'
}

const bareOf = (variant: Variant): Variant => (variant.endsWith('-1000') ? 'bare-1000' : 'bare')

/** Of recording to the same without it. */
const GOAL_TO_OFF = 0.9
/** Key, limit, headers, usage and metrics. */
const GOAL_TO_BARE = 0.65

const readings = new Map<Variant, Reading[]>(chosen.map((variant) => [variant, []]))
for (let round = 1; round <= rounds; round++) {
  for (const variant of chosen) {
    process.stderr.write(`\rround ${round}/${rounds}: ${variant.padEnd(18)}`)
    const directory = mkdtempSync(join(tmpdir(), 'machine-auth-bench-'))
    readings.get(variant)?.push(await measure(['recording-server.ts', variant, directory], seconds))
    rmSync(directory, { recursive: true, force: true })
  }
}
process.stderr.write(`\r${' '.repeat(40)}\r`)

function medianOf(variant: Variant, member: keyof Reading): number {
  return median((readings.get(variant) ?? []).map((reading) => reading[member]))
}

/** How a variant compares to another one, round by round: what slows a round down slows both. */
function ratio(variant: Variant, other: Variant, member: 'requestsPerSecond' | 'cpu'): number {
  const others = readings.get(other) ?? []
  const ratios = (readings.get(variant) ?? []).map((reading, round) => reading[member] / (others[round]?.[member] ?? 0))
  return median(member === 'cpu' ? ratios.map((each) => 1 / each) : ratios)
}

const cell = (value: number, width: number) => (Number.isFinite(value) ? value.toFixed(2) : '').padStart(width)

console.log(`bun ${Bun.version}, elysia ${elysia.version}, ${rounds} rounds of ${seconds} s, medians`)
console.log(`goals: ${GOAL_TO_OFF} to off; everything ${GOAL_TO_BARE} to bare`)
console.log('variant          requests/s  to off  to bare  CPU µs/request  off CPU to it  bare CPU to it  p99 ms')
for (const variant of chosen) {
  const cells = [
    variant.padEnd(16),
    medianOf(variant, 'requestsPerSecond').toFixed(0).padStart(10),
    cell(ratio(variant, offOf(variant), 'requestsPerSecond'), 7),
    cell(ratio(variant, bareOf(variant), 'requestsPerSecond'), 8),
    cell(medianOf(variant, 'cpu'), 15),
    cell(ratio(variant, offOf(variant), 'cpu'), 14),
    cell(ratio(variant, bareOf(variant), 'cpu'), 15),
    cell(medianOf(variant, 'p99'), 7),
  ]
  console.log(cells.join(' '))
}
