/** Names the database, so that what is noted for it is never counted into another one. */
import { randomInt } from 'node:crypto'
import { START_OF_JOURNAL, type UsageStore } from '../../../storage/ports/usage.ts'

/** The id is a checkpoint of this name, which no file of a journal has: like any other it is made by one caller alone. */
const NAME = ':database'

const LARGEST = 2 ** 48 - 1

export interface DatabaseIdentity {
  /** Null until it was found. */
  readonly id: string | null
  /** Rejects when the database does. */
  find(): Promise<string>
}

/** The id of a database; null for one in which nobody has kept a journal yet. Changes nothing. */
export async function readDatabaseId(store: Pick<UsageStore, 'checkpoint'>): Promise<string | null> {
  const found = await store.checkpoint(NAME)
  return found === null ? null : `${found.position.toString(36)}-${found.target.toString(36)}`
}

async function makeDatabaseId(store: Pick<UsageStore, 'record' | 'checkpoint'>): Promise<string> {
  const to = { position: randomInt(1, LARGEST), target: randomInt(1, LARGEST), written: 0 }
  // Checkpoints are deleted for their age; this one never is.
  const now = Number.MAX_SAFE_INTEGER
  await store.record({ journal: NAME, from: START_OF_JOURNAL, to, rows: [], now })
  const id = await readDatabaseId(store)
  if (id === null) throw new Error('The database does not keep the id that journals of usage are told apart by')
  return id
}

/** The id of a database, which is made by whoever asks first. */
export function createDatabaseIdentity(store: Pick<UsageStore, 'record' | 'checkpoint'>): DatabaseIdentity {
  let id: string | null = null
  return {
    get id() {
      return id
    },
    async find() {
      id ??= (await readDatabaseId(store)) ?? (await makeDatabaseId(store))
      return id
    },
  }
}
