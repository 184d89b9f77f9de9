/** What the first use of a key costs in the process that serves, beside a prepared Drizzle select of the same rows. */
import { createMachineAuth } from '../../src/core.ts'
import { internalsOfCore } from '../../src/core-internals.ts'
import { ID_LENGTH } from '../../src/credentials/lengths.ts'
import { openSqlite } from '../../src/storage/drizzle/sqlite.ts'
import { openStorage } from '../../src/storage/open.ts'
import { selectWithOwner } from '../storage/select.ts'
import { keyTextOf, SECRET, shownOf } from './texts.ts'

/** ns for each key, the least of all slices. */
export interface ColdCost {
  /** A prepared Drizzle select of its row with owner and organization, which SQLite compiles once. */
  readonly select: number
  /** `storage.keys.findWithOwner`. */
  readonly stored: number
  /** The whole verification: parsing, look-up, hash, principal, cache. */
  readonly verified: number
}

type Way = keyof ColdCost

const WAYS = ['select', 'stored', 'verified'] as const satisfies readonly Way[]
const PER_SLICE = 250

interface Subject {
  readonly id: string
  readonly text: string
}

interface Candidate {
  readonly ways: Readonly<Record<Way, (subject: Subject) => Promise<unknown>>>
  /** A key that has not been looked at in this way yet. */
  next(way: Way): Subject
  close(): Promise<void>
}

async function createCandidate(file: string, total: number): Promise<Candidate> {
  const core = createMachineAuth(
    { database: `sqlite:${file}`, secret: SECRET, usage: false, metrics: false },
    { warn: () => undefined, env: {} },
  )
  await core.ready
  const { storage, ready } = openStorage(`sqlite:${file}`, { migrate: 'check' })
  await ready
  // The connection of the reference has the settings of ours.
  const database = openSqlite(file, { clock: Date.now, timeout: 10_000 })
  const select = selectWithOwner(database, true).prepare()
  const { apiKeys: authenticator } = internalsOfCore(core).engineOptions.environment
  const taken: Record<Way, number> = { select: 0, stored: 0, verified: 0 }
  return {
    ways: {
      select: async ({ id }) => (await select.execute({ id }))[0],
      stored: ({ id }) => storage.keys.findWithOwner(id),
      async verified({ text }) {
        const outcome = await authenticator.resolve(text, 'bench')
        return outcome.kind === 'refused' ? null : outcome
      },
    },
    next(way) {
      // The order has nothing to do with where they lie: their ids are as good as random.
      const index = taken[way] % total
      taken[way] += 1
      return { id: `key_${shownOf(index).slice(-ID_LENGTH)}`, text: keyTextOf(index) }
    },
    async close() {
      await Promise.all([core.close(), storage.close(), database.close()])
    },
  }
}

/** ns for each; making the texts of the keys is not part of it. */
async function timeSlice(candidate: Candidate, way: Way): Promise<number> {
  const use = candidate.ways[way]
  const subjects = Array.from({ length: PER_SLICE }, () => candidate.next(way))
  let found = 0
  const began = Bun.nanoseconds()
  for (const subject of subjects) if ((await use(subject)) != null) found += 1
  const took = Bun.nanoseconds() - began
  if (found < PER_SLICE) throw new Error(`${way} did not find ${PER_SLICE - found} keys that are there`)
  return took / PER_SLICE
}

/**
 * Slice by slice, so that a machine that slows down slows everything down.
 *
 * @param files database files, by how many keys they have
 * @param slices of each way and file
 */
export async function compareColdKeys(
  files: ReadonlyMap<number, string>,
  slices: number,
): Promise<ReadonlyMap<number, ColdCost>> {
  const candidates: { readonly total: number; readonly candidate: Candidate; readonly best: Record<Way, number> }[] = []
  for (const [total, file] of files) {
    const best: Record<Way, number> = { select: Infinity, stored: Infinity, verified: Infinity }
    candidates.push({ total, candidate: await createCandidate(file, total), best })
  }
  for (let slice = 0; slice < slices; slice += 1) {
    for (const way of WAYS) {
      for (const { candidate, best } of candidates) best[way] = Math.min(best[way], await timeSlice(candidate, way))
    }
  }
  await Promise.all(candidates.map(({ candidate }) => candidate.close()))
  return new Map(candidates.map(({ total, best }) => [total, best]))
}
