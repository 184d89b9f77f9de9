import { expect } from 'bun:test'
import { MachineAuthError } from '../../src/errors.ts'
import type { Page, PageRequest } from '../../src/storage/ports/page.ts'
import type { Storage } from '../../src/storage/ports.ts'

/** One storage, empty, and a way past it to the tables. */
export interface Opened {
  readonly storage: Storage
  readonly exec: (statement: string) => Promise<unknown>
}

/** Answers an empty storage; the one answered before is no longer used. */
export type Open = () => Promise<Opened>

/** The changes recorded so far, as `kind subject`. */
export async function changesOf({ changes }: Storage): Promise<readonly string[]> {
  const all = await changes.since(0)
  return all.changes.map(({ kind, subject }) => `${kind} ${subject}`)
}

/** Runs `work` while the change log cannot be written. */
export async function withoutChangeLog({ exec }: Opened, work: () => Promise<unknown>): Promise<void> {
  await exec('alter table machine_auth_changes rename to machine_auth_changes_away')
  try {
    await work()
  } finally {
    await exec('alter table machine_auth_changes_away rename to machine_auth_changes')
  }
}

/** Asserts that a verb fails as a whole when its change cannot be recorded. */
export async function expectAtomic(opened: Opened, verb: () => Promise<unknown>): Promise<void> {
  await withoutChangeLog(opened, async () => {
    expect(
      await verb().then(
        () => 'done',
        () => 'failed',
      ),
    ).toBe('failed')
  })
}

export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'none'
  } catch (error) {
    return error instanceof MachineAuthError ? error.code : `not ours: ${error}`
  }
}

/** Calls `count` times at once. */
export function atOnce<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => work(index)))
}

/** Calls 50 times at once. */
export function fiftyTimes<T>(work: (index: number) => Promise<T>): Promise<T[]> {
  return atOnce(50, work)
}

/** Reads a list to its end, with something happening after each page. */
export async function readAll<T>(
  list: (page: PageRequest) => Promise<Page<T>>,
  limit: number,
  between: () => Promise<unknown> = async () => undefined,
): Promise<readonly T[]> {
  const items: T[] = []
  let cursor: string | undefined
  for (let pages = 0; pages < 50; pages++) {
    const page = await list({ limit, cursor })
    expect(page.items.length).toBeLessThanOrEqual(limit)
    items.push(...page.items)
    if (page.nextCursor === null) return items
    cursor = page.nextCursor
    await between()
  }
  throw new Error('the list does not end')
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Cursors that nobody was given. */
export const HOSTILE_CURSORS: readonly { readonly name: string; readonly cursor: string }[] = [
  { name: 'empty', cursor: '' },
  { name: 'not base64url', cursor: 'a b+c' },
  { name: 'not JSON', cursor: Buffer.from('{').toString('base64url') },
  { name: 'null', cursor: encode(null) },
  { name: 'an array', cursor: encode(['createdAt.desc', 1, 'x']) },
  { name: 'of another order', cursor: encode({ s: 'createdAt.asc', v: 1, i: 'x' }) },
  { name: 'without an id', cursor: encode({ s: 'createdAt.desc', v: 1 }) },
  { name: 'with text for a number', cursor: encode({ s: 'createdAt.desc', v: "1' or '1'='1", i: 'x' }) },
  { name: 'with a number beyond 64 bits', cursor: encode({ s: 'createdAt.desc', v: 1e300, i: 'x' }) },
  { name: 'with an object for an id', cursor: encode({ s: 'createdAt.desc', v: 1, i: {} }) },
  { name: 'with NUL in the id', cursor: encode({ s: 'createdAt.desc', v: 1, i: 'x\0' }) },
  { name: 'huge', cursor: 'A'.repeat(100_000) },
]
