/** Requests that come with one new credential at once share its verification, but not what only the app knows. */
import { describe, expect, test } from 'bun:test'
import type { MachineAuthOptions } from '../../src/index.ts'
import { createTestApp, withBearer, withCookie } from '../support/test-app.ts'
import { until } from '../support/until.ts'

type Load = NonNullable<NonNullable<MachineAuthOptions['users']>['load']>

function releaseAll(waiting: (() => void)[]): void {
  for (const release of waiting.splice(0)) release()
}

describe('what the app answered before it changed its mind is not given to a request that came after', () => {
  test('users.load', async () => {
    let roles = ['admin']
    const waiting: (() => void)[] = []
    const load = async (id: string) => {
      const user = { id, roles }
      await new Promise<void>((resolve) => waiting.push(resolve))
      return user
    }
    await using t = await createTestApp({ users: { load: load as Load } })
    const { cookieValue } = await t.core.sessions.create('user_x')
    const question = { headers: withCookie(cookieValue) }
    const early = t.ask('/admin', question)
    await until(() => waiting.length === 1)
    roles = []
    const late = t.ask('/admin', question)
    const release = setInterval(() => releaseAll(waiting), 20)
    const said = [(await early).said, (await late).said]
    clearInterval(release)
    expect(said).toEqual(['200', '403 role_required'])
  })

  test('bearer.verify', async () => {
    let isRevoked = false
    const waiting: (() => void)[] = []
    const verify = async () => {
      const verdict = isRevoked ? null : { permissions: ['users.view'] }
      await new Promise<void>((resolve) => waiting.push(resolve))
      return verdict
    }
    await using t = await createTestApp({ bearer: { verify } })
    const question = { headers: withBearer('of-the-app') }
    const early = t.ask('/users', question)
    await until(() => waiting.length === 1)
    isRevoked = true
    const late = t.ask('/users', question)
    const release = setInterval(() => releaseAll(waiting), 20)
    const said = [(await early).said, (await late).said]
    clearInterval(release)
    expect(said).toEqual(['200', '401 token_invalid'])
  })
})

test('one call of users.load that never answers does not lock its user out', async () => {
  let calls = 0
  const load = (id: string) => {
    calls += 1
    return calls === 1 ? new Promise<never>(() => undefined) : { id }
  }
  await using t = await createTestApp({ users: { load: load as Load } })
  const { cookieValue } = await t.core.sessions.create('user_x')
  const headers = withCookie(cookieValue)
  const hanging = fetch(`${t.origin}/user`, { headers, signal: AbortSignal.timeout(2000) }).catch(() => null)
  await until(() => calls === 1)
  t.time.now += 3_600_000
  const response = await fetch(`${t.origin}/user`, { headers, signal: AbortSignal.timeout(1000) }).catch(() => null)
  expect(response?.status).toBe(200)
  void hanging
})
