/**
 * Ours beside what else there is, in one run: `bun bench/peers/run.ts [--quick]`.
 *
 * Every server first proves that it lets in what is right and refuses what is wrong.
 */
import elysia from 'elysia/package.json' with { type: 'json' }
import { goalOf } from '../goals.ts'
import { createPrintingReport, type Report } from '../report.ts'
import { measureInRounds } from '../rounds.ts'
import { measure, type Reading } from '../wrk.ts'
import {
  BARE,
  BETTER_AUTH_LIMITED,
  CONTESTANTS,
  type Contestant,
  ELYSIA_JWT_FIRST_SEEN,
  ELYSIA_JWT_REPEATED,
  JWT,
  JWT_FIRST_SEEN,
  KEY_AND_LIMIT,
} from './contestants.ts'
import { checkTypes, installPeers } from './install.ts'
import { readPeerVersions } from './versions.ts'

const GROUP = 'peers'

const COMPARISONS = [
  { name: 'ours with key and limit, to better-auth with limits', ours: KEY_AND_LIMIT, peer: BETTER_AUTH_LIMITED },
  { name: 'ours with a repeated JWT, to @elysiajs/jwt', ours: JWT, peer: ELYSIA_JWT_REPEATED },
  { name: 'ours with a first-seen JWT, to @elysiajs/jwt', ours: JWT_FIRST_SEEN, peer: ELYSIA_JWT_FIRST_SEEN },
] as const

async function measureContestant({ name, command }: Contestant, seconds: number): Promise<Reading> {
  try {
    return await measure(command, seconds)
  } catch (cause) {
    // A server that does not let in and refuse as it must says so itself, and announces nothing.
    throw new Error(`${name} was not measured: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
}

function describe({ packages, note }: Contestant): string {
  const versions = readPeerVersions()
  const measured = packages.map((name) => `${name} ${versions[name] ?? 'of an unknown version'}`)
  return [
    ...(measured.length === 0 ? [`elysia ${elysia.version}`] : measured),
    ...(note === undefined ? [] : [note]),
  ].join('; ')
}

export async function run(report: Report, { isQuick }: { readonly isQuick: boolean }): Promise<void> {
  await installPeers(report)
  await checkTypes(report)
  const seconds = isQuick ? 1 : 3
  const byName = new Map(CONTESTANTS.map((contestant) => [contestant.name, contestant]))
  const rounds = await measureInRounds([...byName.keys()], isQuick ? 1 : 3, report, async (name) => {
    const contestant = byName.get(name)
    if (contestant === undefined) throw new Error(`There is no ${name}`)
    return await measureContestant(contestant, seconds)
  })
  for (const contestant of CONTESTANTS) {
    const { name } = contestant
    const rate = rounds.of(name, 'requestsPerSecond')
    const note = describe(contestant)
    report.add({ group: GROUP, name: `${name}, requests/s`, value: rate, unit: 'requests/s', note })
    report.add({ group: GROUP, name: `${name}, CPU a request`, value: rounds.of(name, 'cpu'), unit: 'µs' })
    if (name === BARE) continue
    const value = rounds.ratio(name, BARE, 'requestsPerSecond')
    report.add({ group: GROUP, name: `${name}, to bare`, value, unit: 'ratio', note: 'of requests/s' })
  }
  for (const { name, ours, peer } of COMPARISONS) {
    const value = rounds.ratio(ours, peer, 'requestsPerSecond')
    const note = `of requests/s; by CPU time ${rounds.ratio(ours, peer, 'cpu').toFixed(2)}`
    const goal = goalOf(GROUP, name)
    report.add({ group: GROUP, name, value, unit: 'ratio', ...(goal !== undefined && { goal }), note })
  }
}

if (import.meta.main) await run(createPrintingReport(), { isQuick: process.argv.includes('--quick') })
