/** What a key that is in no cache costs on SQLite, in process, beside what looks up the same row. */
import { Database as Client } from 'bun:sqlite'
import { createMachineAuth } from '../../src/core.ts'
import { internalsOfCore } from '../../src/core-internals.ts'
import { ID_LENGTH } from '../../src/credentials/lengths.ts'
import { openSqlite } from '../../src/storage/drizzle/sqlite.ts'
import { openStorage } from '../../src/storage/open.ts'
import { keyTextOf, SECRET, shownOf } from '../scale/texts.ts'
import type { Contender } from '../slices.ts'
import { selectWithOwner } from './select.ts'

export const WAYS = {
  bare: 'bun:sqlite, prepared',
  written: 'Drizzle, prepared, as one writes it',
  select: 'Drizzle, prepared, compiled once',
  stored: 'keys.findWithOwner',
  cold: 'the whole of a cold key',
} as const

export type Way = keyof typeof WAYS

/** Keys that are looked up in turn: far more than are cached, so that none is found there. */
const SUBJECTS = 20_000
const CACHED = 100

export interface Contest {
  readonly contenders: readonly Contender[]
  close(): Promise<void>
}

export const nameOf = (way: Way, size: number) => `${WAYS[way]}, ${size.toLocaleString('en')} keys`

/** @param calls of each slice */
export async function createSqliteContest(file: string, size: number, calls: number): Promise<Contest> {
  const core = createMachineAuth(
    { database: `sqlite:${file}`, secret: SECRET, usage: false, metrics: false, apiKeys: { cacheSize: CACHED } },
    { warn: () => undefined, env: {} },
  )
  await core.ready
  const { storage, ready } = openStorage(`sqlite:${file}`, { migrate: 'check' })
  await ready
  // The connections of the references have the settings of ours.
  const database = openSqlite(file, { clock: Date.now, timeout: 10_000 })
  const client = new Client(file)
  const [mapped] = await database.handle.all<{ mmap_size: number }>('PRAGMA mmap_size')
  client.run(`PRAGMA mmap_size=${mapped?.mmap_size ?? 0}`)
  const bare = client.prepare<unknown, [string]>(selectWithOwner(database, true).toSQL().sql)
  const [written, select] = [false, true].map((isCast) => selectWithOwner(database, isCast).prepare())
  const { apiKeys } = internalsOfCore(core).engineOptions.environment
  const subjects = Array.from({ length: Math.min(size, SUBJECTS) }, (_, index) => {
    // Anywhere in the table: their ids are as good as random.
    const text = keyTextOf(Math.floor((index * size) / Math.min(size, SUBJECTS)))
    return { text, id: `key_${text.slice(9, 9 + ID_LENGTH)}` }
  })
  if (subjects[0]?.id !== `key_${shownOf(0).slice(-ID_LENGTH)}`) throw new Error('A key has another form')

  const ways: Readonly<Record<Way, (subject: { id: string; text: string }) => unknown>> = {
    bare: ({ id }) => bare.values(id)[0],
    written: async ({ id }) => (await written?.execute({ id }))?.[0],
    select: async ({ id }) => (await select?.execute({ id }))?.[0],
    stored: ({ id }) => storage.keys.findWithOwner(id),
    async cold({ text }) {
      const outcome = await apiKeys.resolve(text, 'bench')
      return outcome.kind === 'refused' ? undefined : outcome
    },
  }
  let taken = 0
  function next() {
    const subject = subjects[taken % subjects.length]
    taken += 1
    if (subject === undefined) throw new Error('There are no keys')
    return subject
  }
  const contenders = Object.entries(ways).map(([way, look]) => ({
    name: nameOf(way as Way, size),
    async run() {
      for (let call = 0; call < calls; call += 1) {
        if ((await look(next())) == null) throw new Error(`${way} did not find a key that is there`)
      }
    },
  }))
  return {
    contenders,
    async close() {
      client.close()
      await Promise.all([core.close(), storage.close(), database.close()])
    },
  }
}
