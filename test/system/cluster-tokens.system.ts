/** Logins and refresh tokens over three processes. */
import { describe, expect, test } from 'bun:test'
import { issued } from '../support/credentials/watch.ts'
import { startRedis } from '../support/servers/redis.ts'
import { until } from '../support/until.ts'
import { ask, clusterForSuite } from './cluster.ts'
import { manage } from './fixtures.ts'

const PASSWORD = 'a-password-of-the-cluster-tests-1234'
issued.note('password', PASSWORD, true)

interface Pair {
  readonly access_token: string
  readonly refresh_token: string
}

function post(url: string, body: object, address = '192.0.2.1'): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': address },
    body: JSON.stringify(body),
  })
}

describe('three processes on PostgreSQL and Redis', () => {
  const suite = clusterForSuite(async () => {
    const redis = await startRedis()
    return { setting: { redis: redis.url }, stop: redis.stop }
  })

  async function createUser(email: string): Promise<void> {
    const made = await manage(suite().at(0), '/auth/users', { email, password: PASSWORD })
    expect(made.status).toBe(201)
    await made.arrayBuffer()
  }

  test('of 50 refreshes of one token at once, all get one and the same successor', async () => {
    const { at } = suite()
    const email = 'refreshes@example.com'
    await createUser(email)
    const login = await post(`${at(1)}/auth/login`, { email, password: PASSWORD })
    expect(login.status).toBe(200)
    const { refresh_token } = (await login.json()) as Pair
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => post(`${at(index)}/auth/refresh`, { refresh_token })),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200))
    const pairs = await Promise.all(answers.map((answer) => answer.json() as Promise<Pair>))
    const successors = new Set(pairs.map((pair) => pair.refresh_token))
    expect(successors.size).toBe(1)
    expect(successors.has(refresh_token)).toBeFalse()
    // It is good in each of them, and so is what came with it.
    const [successor = ''] = successors
    const next = await post(`${at(2)}/auth/refresh`, { refresh_token: successor })
    expect(next.status).toBe(200)
    await next.arrayBuffer()
    for (const [index, { access_token }] of pairs.entries()) {
      const who = await ask(`${at(index + 1)}/whoami`, { headers: { authorization: `Bearer ${access_token}` } })
      expect(who.status).toBe(200)
    }
  }, 60_000)

  test('wrong logins at each of them lock out their address at all, and no other', async () => {
    const { at, origins } = suite()
    const email = 'guessed@example.com'
    await createUser(email)
    const [guesser, owner] = ['192.0.2.66', '192.0.2.67']
    // Five are let fail, wherever they are made.
    for (let index = 0; index < 5; index += 1) {
      const answer = await post(`${at(index)}/auth/login`, { email, password: `wrong password ${index}` }, guesser)
      expect(answer.status).toBe(401)
      await answer.arrayBuffer()
    }
    for (const origin of origins) {
      const took = await until(async () => {
        const answer = await post(`${origin}/auth/login`, { email, password: PASSWORD }, guesser)
        await answer.arrayBuffer()
        return answer.status === 429
      }, 5000)
      expect(took).toBeLessThan(1000)
    }
    for (const origin of origins) {
      const answer = await post(`${origin}/auth/login`, { email, password: PASSWORD }, owner)
      expect(answer.status).toBe(200)
      await answer.arrayBuffer()
    }
  }, 60_000)
})
