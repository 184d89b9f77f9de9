/** What tests of limits share: addresses to come from, and asking the same again and again. */
import { checksum } from '../../src/lib/crc32.ts'
import type { Answer, createTestApp, Question, TestApp } from './test-app.ts'

/** The tests' own address counts as a proxy's, so that a request can come from anywhere. */
export const PROXIED = { trustProxy: { from: ['127.0.0.1'] } } as const

/** The header of a request that comes from an address, for an app that is `PROXIED`. */
export const from = (address: string) => ({ 'x-forwarded-for': address }) as const

export const LIMITED = '429 rate_limited'
export const LOCKED = '429 locked_out'
export const BLOCKED = '403 address_blocked'

type Asked = Pick<TestApp, 'ask'>

/** Asks the same so many times, one after another, and answers what was said. */
export async function askTimes(
  app: Asked,
  times: number,
  path: string,
  question: Question = {},
): Promise<readonly string[]> {
  const said: string[] = []
  for (let time = 0; time < times; time += 1) said.push((await app.ask(path, question)).said)
  return said
}

/** What is left of each limit that an answer tells of, by its name. */
export function remainingOf({ headers }: Pick<Answer, 'headers'>): Readonly<Record<string, number>> {
  const listed = headers.get('ratelimit') ?? ''
  const items = [...listed.matchAll(/"([^"]+)";r=(\d+);t=\d+/g)]
  return Object.fromEntries(items.map(([, name, remaining]) => [name, Number(remaining)]))
}

/** Routes of a test's own, in the words that `createTestApp` takes them. */
export type Extend = NonNullable<Parameters<typeof createTestApp>[1]>

/** Options of a route as plain JavaScript writes them: of any kind. */
export function unchecked(options: object): Record<never, never> {
  return options
}

/** A door that handlers wait at, and that a test sees them waiting at. */
export function createDoor() {
  const opened = Promise.withResolvers<void>()
  let waiting = 0
  let expected: { readonly count: number; readonly resolve: () => void } | null = null
  return {
    open: opened.resolve,
    /** For a handler. */
    async pass(): Promise<string> {
      waiting += 1
      if (expected !== null && waiting >= expected.count) expected.resolve()
      await opened.promise
      return 'passed'
    },
    /** Resolves when so many wait. */
    whenWaiting(count: number): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>()
      if (waiting >= count) resolve()
      expected = { count, resolve }
      return promise
    },
  }
}

/** A key of the same id and another secret, its checksum right: only storage can tell that it is forged. */
export function forgeKey(rawKey: string): string {
  const body = `${rawKey.slice(0, -12)}${rawKey.slice(-12, -6) === 'forged' ? 'FORGED' : 'forged'}`
  return body + checksum(body)
}
