/** A default limit by address whose `cost` looks at who asks: he must be known by then, and stay known. */
import { describe, expect, test } from 'bun:test'
import type { LimitContext } from '../../src/index.ts'
import { askTimes, LIMITED } from '../support/limited.ts'
import { everywhere } from '../support/shared-limits.ts'
import { addKey, addPeople, addTokens, createTestApp } from '../support/test-app.ts'

function create(seen: (string | null)[]) {
  const cost = ({ principal }: LimitContext) => {
    seen.push(principal?.id ?? null)
    return principal === null ? 5 : 1
  }
  const perUser = { limit: 2, window: '1m', by: 'user' } as const
  return createTestApp({ rateLimit: { default: { limit: 10, window: '1m', cost } } }, (app) =>
    app.get('/in/handler', async ({ auth }) => {
      await auth.rateLimit(perUser)
      return 'ok'
    }),
  )
}

describe('a cost that depends on who asks', () => {
  test('is told who asks', async () => {
    const seen: (string | null)[] = []
    await using t = await create(seen)
    const { id, headers } = await addKey(t)
    expect(await askTimes(t, 5, '/key', { headers })).toEqual(Array(5).fill('200'))
    // Counts that are elsewhere are asked ahead, and functions with them.
    expect(seen).toEqual(Array(everywhere.isShared ? 10 : 5).fill(id))
    expect(await askTimes(t, 2, '/open')).toEqual(['200', LIMITED])
  })

  test('leaves other limits to count the same person', async () => {
    await using t = await create([])
    const { alice, bob } = await addPeople(t)
    for (const { id } of [alice, bob]) {
      const { headers } = await addTokens(t, id)
      expect(await askTimes(t, 3, '/in/handler', { headers })).toEqual(['200', '200', LIMITED])
    }
  })

  test('counts who is refused, and paths that are unknown', async () => {
    await using t = await create([])
    expect(await askTimes(t, 1, '/key')).toEqual(['401 credential_missing'])
    expect(await askTimes(t, 2, '/nowhere')).toEqual(['404 not_found', LIMITED])
  })
})
