/** SECURITY.md, P39: a flood of wrong foreign keys costs little, and nobody but who sends it. */
import { describe, expect, test } from 'bun:test'
import { PermissionSet } from '../../src/authorization/permission-set.ts'
import type { Actor, HashKind } from '../../src/index.ts'
import { expectProblem } from '../support/answers.ts'
import { addForeignKey, countedKinds, createImportingApp } from '../support/foreign-keys.ts'
import { askTimes, BLOCKED, forgeKey, from, LOCKED, PROXIED } from '../support/limited.ts'
import { addKey, type TestApp, withBearer, withKey } from '../support/test-app.ts'

const HERE = from('203.0.113.1')
const THERE = from('203.0.113.2')
const WRONG = '401 api_key_invalid'
const MINUTE = 60_000

const reads = (app: TestApp) => app.takeStatements().filter((text) => text.includes('"lookup" in')).length
function countOf(said: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const each of said) counts[each] = (counts[each] ?? 0) + 1
  return counts
}

/** Wrong texts with the visible part of a key that is there: the dearest ones. */
const wrongOf = (text: string) => (count: number) => `${text.split('.')[0]}.${String(count).padStart(32, 'x')}`

async function withFlood() {
  const { kinds, verified } = countedKinds()
  const app = await createImportingApp(PROXIED, kinds)
  const django = await addForeignKey(app, 'django-pbkdf2')
  const wrong = wrongOf(django.text)
  const flood = (times: number, headers: Readonly<Record<string, string>> = HERE) =>
    Promise.all(
      Array.from({ length: times }, async (_, count) => {
        const answer = await app.ask('/key', { headers: { ...headers, ...withKey(wrong(count)) } })
        return answer.said
      }),
    )
  return { app, verified, django, wrong, flood }
}

describe('a flood from one address', () => {
  test('of 10,000 gets 20 look-ups and 20 verifications a minute', async () => {
    const { app, verified, wrong } = await withFlood()
    const said = await Promise.all(
      Array.from({ length: 10_000 }, (_, count) => app.core.keys.verify({ key: wrong(count), ip: '203.0.113.1' })),
    )
    expect(countOf(said.map(({ code }) => code))).toEqual({ api_key_invalid: 20, locked_out: 9980 })
    expect([reads(app), verified.length]).toEqual([20, 20])
    app.time.now += MINUTE
    for (let count = 0; count < 30; count += 1) await app.core.keys.verify({ key: wrong(count), ip: '203.0.113.1' })
    expect([reads(app), verified.length]).toEqual([20, 40])
    await app.close()
  })

  test('is told to wait, and keeps nobody else from using his key for the first time', async () => {
    const { app, verified, django, flood } = await withFlood()
    const said = await flood(300)
    expect(countOf(said)).toEqual({ [WRONG]: 20, [LOCKED]: 280 })
    expect([reads(app), verified.length]).toEqual([20, 20])
    const late = await app.ask('/key', { headers: { ...HERE, ...django.headers } })
    expectProblem(late, 'locked_out', ['retryAfter'])
    expect(late.headers.get('retry-after')).toBe('60')
    expect(reads(app)).toBe(0)
    expect((await app.ask('/key', { headers: { ...THERE, ...django.headers } })).said).toBe('200')
    await app.close()
  })

  test('keeps no key out that worked before, nor one of ours', async () => {
    const { app, django, flood } = await withFlood()
    const own = await addKey(app)
    const unused = await addForeignKey(app, 'sha256')
    const ask = async (key: { headers: Record<string, string> }) =>
      (await app.ask('/key', { headers: { ...HERE, ...key.headers } })).said
    expect(await ask(django)).toBe('200')
    // Long enough for it to be looked up anew.
    app.time.now += 61_000
    await flood(50)
    expect([await ask(django), await ask(own), await ask(unused)]).toEqual(['200', '200', LOCKED])
    app.time.now += MINUTE
    expect(await ask(unused)).toBe('200')
    await app.close()
  })

  test('under Bearer counts as well', async () => {
    const { app, wrong } = await withFlood()
    const said = await askTimes(app, 19, '/key', { headers: { ...HERE, ...withKey(wrong(1)) } })
    expect(countOf(said)).toEqual({ [WRONG]: 19 })
    const bearer = await askTimes(app, 2, '/key', { headers: { ...HERE, ...withBearer(wrong(2)) } })
    expect(bearer).toEqual([WRONG, LOCKED])
    await app.close()
  })

  test('ends with the address blocked, as after other wrong credentials', async () => {
    const { kinds } = countedKinds()
    await using app = await createImportingApp({ ...PROXIED, abuse: { threshold: 10 } }, kinds)
    const said = await askTimes(app, 11, '/key', { headers: { ...HERE, ...withKey('unknown.xxxxxxxx') } })
    expect(countOf(said)).toEqual({ [WRONG]: 10, [BLOCKED]: 1 })
    const [block] = (await app.core.blocks.list()).items
    await app.core.blocks.remove(block?.id ?? '')
    const again = await askTimes(app, 20, '/open', { headers: { ...HERE, ...withKey('unknown.xxxxxxxx') } })
    expect(countOf(again)).toEqual({ '200': 20 })
  })

  test('ends when its block is taken away by hand', async () => {
    await using app = await createImportingApp(PROXIED)
    const question = { headers: { ...HERE, ...withKey('unknown.xxxxxxxx') } }
    expect((await askTimes(app, 21, '/key', question)).at(-1)).toBe(LOCKED)
    const { id } = await app.core.blocks.add({ subject: '203.0.113.1', duration: '1h' })
    await app.core.blocks.remove(id)
    expect((await app.ask('/key', question)).said).toBe(WRONG)
  })
})

describe('right keys', () => {
  test('are not counted: 300 used for the first time from one address, 50 at once', async () => {
    await using app = await createImportingApp(PROXIED)
    const keys = await Promise.all(Array.from({ length: 300 }, () => addForeignKey(app, 'sha256')))
    const said: string[] = []
    for (let start = 0; start < keys.length; start += 50) {
      const some = keys.slice(start, start + 50)
      const answers = await Promise.all(
        some.map(({ headers }) => app.ask('/key', { headers: { ...HERE, ...headers } })),
      )
      said.push(...answers.map((answer) => answer.said))
    }
    expect(countOf(said)).toEqual({ '200': 300 })
  })

  test('that are refused for what they are do not count either', async () => {
    await using app = await createImportingApp(PROXIED)
    const key = await addForeignKey(app, 'sha256')
    await app.core.keys.revoke(key.id)
    const said = await askTimes(app, 30, '/key', { headers: { ...HERE, ...key.headers } })
    expect(countOf(said)).toEqual({ '401 api_key_revoked': 30 })
  })
})

describe('slow verifications', () => {
  /** A kind whose verifications last until they are let go. */
  function createSlowKind() {
    const seen = { running: 0, most: 0, begun: 0 }
    const door = Promise.withResolvers<void>()
    const kind: HashKind = {
      name: 'slow',
      isSlow: true,
      lookupOf: (text) => text,
      parse: (hash) => ({ hash, lookup: hash }),
      async verify(text, hash) {
        seen.begun += 1
        seen.running += 1
        seen.most = Math.max(seen.most, seen.running)
        await door.promise
        seen.running -= 1
        return text === hash
      },
    }
    return { kind, seen, open: door.resolve }
  }

  test('run four at once, 64 wait, and who comes then is told to come back', async () => {
    const { kind, seen, open } = createSlowKind()
    await using app = await createImportingApp(PROXIED, [kind])
    const texts = Array.from({ length: 80 }, (_, count) => `slow-key-${count}`)
    for (const text of texts) await app.core.keys.import({ name: 'slow', hash: text, hashKind: 'slow' })
    const refusals = Promise.withResolvers<void>()
    let answered = 0
    const asking = texts.map(async (text, count) => {
      const answer = await app.ask('/key', { headers: { ...from(`198.51.100.${count}`), ...withKey(text) } })
      answered += 1
      if (answered === 12) refusals.resolve()
      return answer
    })
    await refusals.promise
    const own = await addKey(app)
    expect((await app.ask('/key', { headers: { ...HERE, ...own.headers } })).said).toBe('200')
    open()
    const answers = await Promise.all(asking)
    expect(countOf(answers.map(({ said }) => said))).toEqual({ '200': 68, [LOCKED]: 12 })
    expect(seen).toEqual({ running: 0, most: 4, begun: 68 })
    const refused = answers.find(({ said }) => said === LOCKED)
    expect([refused?.headers.get('retry-after'), refused?.json.retryable]).toEqual(['1', true])
    // They were right: nobody is counted for it, and they come through now.
    const again = await Promise.all(
      texts.map((text, count) => app.ask('/key', { headers: { ...from(`198.51.100.${count}`), ...withKey(text) } })),
    )
    expect(countOf(again.map(({ said }) => said))).toEqual({ '200': 80 })
    expect(seen.begun).toBe(80)
  })
})

test('a full memory of addresses keeps no right key from its first use', async () => {
  const app = await createImportingApp({ ...PROXIED, abuse: false, rateLimit: { maxSubjects: 1000 } })
  const { headers } = await addForeignKey(app, 'sha256')
  const said = await Promise.all(
    Array.from({ length: 1100 }, async (_, count) => {
      const address = from(`2001:db8:0:${count.toString(16)}::1`)
      return (await app.ask('/key', { headers: { ...address, ...withKey(`bk_wrong_${count}`) } })).said
    }),
  )
  expect(countOf(said)).toEqual({ [WRONG]: 1100 })
  expect((await app.ask('/key', { headers: { ...from('203.0.113.99'), ...headers } })).said).toBe('200')
  await app.close()
})

test.each(['before it was used', 'after it was used'])(
  'wrong texts of our form with the id of one count %s',
  async (when) => {
    const app = await createImportingApp({ ...PROXIED, abuse: { threshold: 3 } })
    const [own, foreign] = [await addKey(app), await addForeignKey(app, 'sha256')]
    if (when === 'after it was used') await app.ask('/key', { headers: { ...THERE, ...foreign.headers } })
    const forged = forgeKey(own.rawKey.replace(own.id.slice('key_'.length), foreign.id.slice('key_'.length)))
    const said = await askTimes(app, 10, '/key', { headers: { ...HERE, ...withKey(forged) } })
    expect(countOf(said)).toEqual({ [WRONG]: 3, [BLOCKED]: 7 })
    await app.close()
  },
)

describe('keys.verify', () => {
  const member: Actor = {
    ...{ id: 'user_1', organizationId: 'org_1', user: { id: 'user_1' } },
    granted: new PermissionSet(['machine_auth.keys.verify']),
  }

  test('by an organization locks out itself, and not the address it names', async () => {
    const { app, django, wrong } = await withFlood()
    const ip = '203.0.113.1'
    for (let count = 0; count < 25; count += 1) await app.core.keys.verify({ key: wrong(count), ip }, member)
    expect((await app.core.keys.verify({ key: wrong(0), ip }, member)).code).toBe('locked_out')
    expect((await app.ask('/key', { headers: { ...HERE, ...django.headers } })).said).toBe('200')
    await app.close()
  })

  test('by an organization has 20 wrong ones a minute, whatever addresses it names and credentials it asks with', async () => {
    const { app, verified, wrong } = await withFlood()
    const colleague: Actor = { ...member, id: 'key_1', user: null }
    const codes: string[] = []
    for (let count = 0; count < 60; count += 1) {
      const ip = `198.51.100.${count}`
      codes.push((await app.core.keys.verify({ key: wrong(count), ip }, count % 2 ? member : colleague)).code)
    }
    expect(countOf(codes)).toEqual({ api_key_invalid: 20, locked_out: 40 })
    expect(verified).toHaveLength(20)
    const other: Actor = { ...member, organizationId: 'org_2' }
    expect((await app.core.keys.verify({ key: wrong(0) }, other)).code).toBe('api_key_invalid')
    await app.close()
  })

  test('without an address counts for who asks', async () => {
    const { app, django, wrong } = await withFlood()
    for (let count = 0; count < 25; count += 1) await app.core.keys.verify({ key: wrong(count) })
    expect((await app.core.keys.verify({ key: django.text })).code).toBe('locked_out')
    expect((await app.core.keys.verify({ key: wrong(0) }, member)).code).toBe('api_key_invalid')
    expect((await app.core.keys.verify({ key: django.text, ip: '203.0.113.9' })).code).toBe('valid')
    await app.close()
  })
})
