/**
 * What a guard costs, as a ratio to a bare Elysia route in the same run: `bun bench/guards.ts [rounds] [seconds] [variants]`.
 *
 * Rounds are interleaved, so that a machine that slows down slows everything down; medians are printed.
 */
import elysia from 'elysia/package.json' with { type: 'json' }
import { median } from './median.ts'
import { VARIANTS, type Variant } from './server.ts'
import { measure, type Reading } from './wrk.ts'

const rounds = Number(process.argv[2] ?? 3)
const seconds = Number(process.argv[3] ?? 8)
/** Only these, besides bare: `bun bench/guards.ts 3 4 minimum-limit-x limit-x`. */
const chosen = VARIANTS.filter((name) => name === 'bare' || process.argv.length < 5 || process.argv.includes(name))

const GOALS: Partial<Readonly<Record<Variant, number>>> = {
  key: 0.75,
  'limit-x': 0.7,
  'limit-both': 0.65,
  jwt: 0.8,
  session: 0.7,
  refusal: 0.8,
}

const readings = new Map<Variant, Reading[]>(chosen.map((variant) => [variant, []]))
for (let round = 1; round <= rounds; round++) {
  for (const variant of chosen) {
    process.stderr.write(`\rround ${round}/${rounds}: ${variant.padEnd(18)}`)
    readings.get(variant)?.push(await measure(['server.ts', variant], seconds))
  }
}
process.stderr.write(`\r${' '.repeat(40)}\r`)

function medianOf(variant: Variant, member: keyof Reading): number {
  return median((readings.get(variant) ?? []).map((reading) => reading[member]))
}

console.log(`bun ${Bun.version}, elysia ${elysia.version}, ${rounds} rounds of ${seconds} s, medians`)
console.log('variant            requests/s  to bare  goal  CPU µs/request  bare CPU to it  p99 ms  to bare')
for (const variant of chosen) {
  const rate = medianOf(variant, 'requestsPerSecond')
  const cpu = medianOf(variant, 'cpu')
  const p99 = medianOf(variant, 'p99')
  const cells = [
    variant.padEnd(18),
    rate.toFixed(0).padStart(10),
    (rate / medianOf('bare', 'requestsPerSecond')).toFixed(2).padStart(8),
    (GOALS[variant]?.toFixed(2) ?? '').padStart(5),
    cpu.toFixed(2).padStart(15),
    (medianOf('bare', 'cpu') / cpu).toFixed(2).padStart(15),
    p99.toFixed(2).padStart(7),
    (p99 / medianOf('bare', 'p99')).toFixed(2).padStart(8),
  ]
  console.log(cells.join(' '))
}
