import { expect, test } from 'bun:test'
import { derive } from '../../../src/lib/crypto.ts'
import { createRate } from '../../../src/limits/rate.ts'
import { LimitKeys } from '../../../src/limits/redis/keys.ts'

const rate = createRate({ limit: 5, window: 60_000 })
const keyOf = (secret: string) => derive(secret, 'shared-limits')
const SECRET = 'a secret of the app, long enough to be one'

/** Everything that whoever reads Redis can know of a name. */
const unkeyed = (place: string, subject: string) =>
  Bun.SHA256.hash(`e60000 ${place.length}:${place}${subject}`, 'base64url').slice(0, 27)

test('are the same in every process of an app', () => {
  const [one, other] = [new LimitKeys('app', keyOf(SECRET)), new LimitKeys('app', keyOf(SECRET))]
  for (let again = 0; again < 2; again += 1) {
    expect(one.rate('route', rate, 'ip:192.0.2.1')).toBe(other.rate('route', rate, 'ip:192.0.2.1'))
    expect(one.concurrency('route', 'ip:192.0.2.1')).toBe(other.concurrency('route', 'ip:192.0.2.1'))
  }
})

test('say the name of the app, and cannot be tried out without its secret', () => {
  const name = new LimitKeys('app', keyOf(SECRET)).rate('route', rate, 'ip:192.0.2.1')
  expect(name).toMatch(/^app:l:[\w-]{27}$/)
  expect(name).not.toBe(`app:l:${unkeyed('route', 'ip:192.0.2.1')}`)
  expect(name).not.toBe(new LimitKeys('app', keyOf(`${SECRET}.`)).rate('route', rate, 'ip:192.0.2.1'))
})

test('no two limits or subjects have one name', () => {
  const keys = new LimitKeys('app', keyOf(SECRET))
  const bucket = createRate({ limit: 5, window: 60_000, strategy: 'token-bucket' })
  const names = [
    keys.rate('a', rate, 'bc'),
    keys.rate('ab', rate, 'c'),
    keys.rate('a', bucket, 'bc'),
    keys.rate('a', createRate({ limit: 5, window: 61_000 }), 'bc'),
    keys.concurrency('a', 'bc'),
  ]
  expect(new Set(names.map((name) => name.slice(-27))).size).toBe(names.length)
})
