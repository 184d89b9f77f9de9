/**
 * Mixed load against one server: `bun bench/soak.ts [--minutes 10] [--quick]`.
 *
 * Valid, unknown, forged, malformed, expired, revoked and limited keys, blocked addresses, logins, tokens and sessions,
 * in loops of a process of its own, over sockets. Every few seconds a line; at the end whether memory is flat, whether
 * the slowest hundredth became slower, and whether everybody was answered as he should be: one who should not be let in
 * and was ends it with 1. Draws `docs/plots/soak.svg` when
 * it was long enough and nobody was.
 */
import { join } from 'node:path'
import { createPrintingReport, type Report } from './report.ts'
import { startChild } from './scale/child.ts'
import { createKeyFiles } from './scale/database.ts'
import { CLIENTS, type Told } from './soak/clients.ts'
import { drawSoak, formatKinds, formatSample } from './soak/print.ts'
import { driftOf, grownTypes, growthOf, type Sample } from './soak/samples.ts'
import { EACH, LIMIT, SOAK_SERVER, type Word } from './soak/server.ts'
import { Tally } from './soak/tally.ts'
import { isAtMost } from './soak/trend.ts'

const GROUP = 'soak'
const PLOT = join(import.meta.dir, '../docs/plots/soak.svg')
const FULL_MINUTES = 10
/** Bytes for each request: one kept in ten, of a hundred bytes, would be ten times as much. */
const MOST_GROWTH = 1
const MOST_DRIFT = 1.3
/** Of one address within an hour, after which it is blocked: the default of `abuse`. */
const MOST_WRONG_KEYS = 100

interface Length {
  readonly minutes: number
  /** s between two looks. */
  readonly interval: number
  /** Keys that are valid. */
  readonly keys: number
  /** How many entries each bounded memory has. */
  readonly bound: number
}

const lengthOf = (minutes: number, isQuick: boolean): Length =>
  isQuick
    ? { minutes: 12 / 60, interval: 2, keys: 2000, bound: 1000 }
    : { minutes, interval: 10, keys: 20_000, bound: 10_000 }

async function soak({ minutes, interval, keys, bound }: Length, report: Report): Promise<readonly Sample[]> {
  using files = createKeyFiles(false, report.progress)
  const server = await startChild<Word>([SOAK_SERVER, await files.withKeys(keys), String(bound)], 0)
  const { fixtures } = server.hello
  if (fixtures === undefined) throw new Error('the server said nothing')
  const clients = await startChild<Told>([CLIENTS, JSON.stringify(fixtures), String(keys)], 1)
  const samples: Sample[] = []
  try {
    const began = performance.now()
    for (let before = 0; before < minutes * 60; ) {
      await Bun.sleep(interval * 1000)
      const tally = new Tally()
      const { tally: told } = await clients.ask('tally')
      if (told !== undefined) tally.add(told)
      const at = (performance.now() - began) / 1000
      const { look } = await server.ask('look')
      if (look === undefined) throw new Error('the server did not say how it does')
      const sample: Sample = { at, seconds: at - before, look, tally }
      samples.push(sample)
      report.progress('')
      console.error(`\r${formatSample(sample)}`)
      before = at
    }
  } finally {
    await clients.stop()
    await server.stop()
  }
  return samples
}

/** What should not have been answered, in words. */
function findWrong(tally: Tally, seconds: number): readonly string[] {
  const windows = Math.ceil(seconds / 60) + 1
  const bounds = [
    { name: 'key, limited', answer: '200', most: windows * LIMIT * EACH },
    { name: 'address, blocked', answer: '401 api_key_invalid', most: MOST_WRONG_KEYS },
  ]
  const beyond = bounds.flatMap(({ name, answer, most }) => {
    const count = tally.answers.get(name)?.get(answer) ?? 0
    return count > most ? [`${name} was answered ${answer} ${count} times, more often than ${most}`] : []
  })
  return [...tally.wrong, ...beyond]
}

/** @throws Error when somebody was answered as he should not be */
export async function run(
  report: Report,
  options: { readonly isQuick: boolean; readonly minutes?: number },
): Promise<void> {
  const length = lengthOf(options.minutes ?? FULL_MINUTES, options.isQuick)
  const samples = await soak(length, report)
  const tally = new Tally()
  for (const sample of samples) tally.add(sample.tally.toJSON())
  const last = samples.at(-1)
  if (last === undefined) return

  console.error('\nkind              median ms   p99 ms   drift  answers')
  for (const line of formatKinds(samples, tally)) console.error(line)
  const grown = grownTypes(samples, 8).map(([type, by]) => `${type} ${by}`)
  console.error(`more objects than after a third of it: ${grown.join(', ')}`)
  const { perRequest, perMinute } = growthOf(samples)
  const name = (what: string) => `${what}, ${length.minutes.toFixed(1)} minutes of mixed load`
  const isTold = !options.isQuick && isAtMost(perRequest, MOST_GROWTH) !== null
  report.add({
    ...{
      group: GROUP,
      name: name('heap'),
      value: perRequest.slope,
      unit: 'bytes',
      ...(isTold && { goal: { atMost: MOST_GROWTH } }),
    },
    note: `${isTold ? '' : 'too few requests to tell; '}for each request of the last two thirds, ± ${(2 * perRequest.error).toFixed(2)}; ${(perMinute.slope / 1000).toFixed(0)} ± ${((2 * perMinute.error) / 1000).toFixed(0)} kB a minute`,
  })
  report.add({
    ...{
      group: GROUP,
      name: name('p99'),
      value: driftOf(samples, null),
      unit: 'ratio',
      ...(!options.isQuick && { goal: { atMost: MOST_DRIFT } }),
    },
    note: `last third to first; of valid keys ${driftOf(samples, 'key').toFixed(2)}`,
  })
  report.add({
    ...{ group: GROUP, name: name('load'), value: tally.total / last.at, unit: 'requests/s' },
    note: `${tally.total.toLocaleString('en')} requests; the loop was late by ${Math.max(...samples.map(({ look }) => look.delay)).toFixed(0)} ms at most`,
  })
  const wrong = findWrong(tally, last.at)
  report.add({ group: GROUP, name: name('wrong answers'), value: wrong.length, unit: 'count', goal: { atMost: 0 } })
  if (wrong.length > 0)
    throw new Error(`answered as they should not be:\n${[...new Set(wrong)].slice(0, 20).join('\n')}`)
  // Shown beside the figures of a run in full, so of no other.
  if (!options.isQuick && length.minutes >= FULL_MINUTES) await Bun.write(PLOT, drawSoak(samples))
}

if (import.meta.main) {
  const words = process.argv.slice(2)
  const minutes = Number(words[words.indexOf('--minutes') + 1] ?? FULL_MINUTES)
  await run(createPrintingReport(), {
    isQuick: words.includes('--quick'),
    ...(words.includes('--minutes') ? { minutes } : {}),
  })
}
