/**
 * What a request costs with few and with many keys in use: `bun bench/keys-in-use.ts [--quick]`.
 *
 * Each server knows all keys; so many of them are sent in turn. Bare has the same requests, and reads nothing of them.
 */
import { createPrintingReport, type Report } from './report.ts'
import { Rounds } from './rounds.ts'
import { type Load, type RunningServer, startServer } from './wrk.ts'

const TITLES = {
  bare: 'bare Elysia',
  'minimum-limit-x': 'hand-written minimum',
  'limit-x': 'ours',
} as const

type Variant = keyof typeof TITLES

const VARIANTS = Object.keys(TITLES) as readonly Variant[]

/** s in which each key is met, and the engine has compiled everything by the end of all of them. */
const warmUpFor = (size: number) => (size > 10_000 ? 4 : 1)

interface Contestant {
  readonly server: RunningServer
  readonly keys: readonly string[]
}

function loadOf(keys: readonly string[], count: number): Load {
  const values = keys.slice(0, count)
  return count === 1
    ? { headers: { 'x-api-key': values[0] ?? '' } }
    : { headers: {}, inTurn: { name: 'x-api-key', values } }
}

async function start(known: number, report: Report): Promise<ReadonlyMap<Variant, Contestant>> {
  const started = new Map<Variant, Contestant>()
  for (const variant of VARIANTS) {
    report.progress(`${known.toLocaleString('en')} keys for ${TITLES[variant]}`)
    const server = await startServer(['server.ts', variant, String(known)])
    started.set(variant, { server, keys: server.announcement.inTurn?.values ?? [] })
  }
  return started
}

export async function run(report: Report, { isQuick }: { readonly isQuick: boolean }): Promise<void> {
  const sizes = isQuick ? [1, 100, 1000] : [1, 100, 1000, 10_000, 100_000]
  const [rounds, seconds] = isQuick ? [1, 1] : [3, 2]
  const measured = new Rounds<string>()
  const contestants = await start(sizes.at(-1) ?? 1, report)
  const keysOfMinimum = contestants.get('minimum-limit-x')?.keys ?? []
  const nameOf = (variant: Variant, size: number) =>
    `${TITLES[variant]}, ${size.toLocaleString('en')} ${size === 1 ? 'key' : 'keys'} in use`
  try {
    // Round 0 warms up: each key is met once, and the engine has compiled everything.
    for (let round = 0; round <= rounds; round += 1) {
      for (const size of sizes) {
        for (const [variant, { server, keys }] of contestants) {
          report.progress(`round ${round}/${rounds}: ${nameOf(variant, size)}`)
          const load = loadOf(variant === 'bare' ? keysOfMinimum : keys, size)
          const reading = await server.measure(round === 0 ? warmUpFor(size) : seconds, load)
          if (round > 0) measured.add(nameOf(variant, size), reading)
        }
      }
    }
  } finally {
    await Promise.all([...contestants.values()].map(({ server }) => server.stop()))
  }
  for (const size of sizes) {
    for (const variant of VARIANTS) {
      const name = nameOf(variant, size)
      const ratio = measured.ratio(name, nameOf('bare', size), 'cpu').toFixed(2)
      const note = variant === 'bare' ? 'processor time' : `processor time; bare to it ${ratio}`
      report.add({ group: 'keys-in-use', name, value: measured.of(name, 'cpu'), unit: 'µs', note })
    }
  }
}

if (import.meta.main) await run(createPrintingReport(), { isQuick: process.argv.includes('--quick') })
