import { describe, expect, test } from 'bun:test'
import { calculateJwkThumbprint, createLocalJWKSet, jwtVerify } from 'jose'
import { createMemoryStorage } from '../support/memory-storage.ts'
import { expectRefused } from '../support/refusals.ts'
import { actorWith, createServices, JWT, SECRET, type ServicesInput, START } from '../support/services.ts'

const NEWER = 'a newer root secret, also of more than 32 bytes'
const GRACE = JWT.accessTtl + JWT.clockTolerance

function createPair(input: ServicesInput = {}) {
  const storage = createMemoryStorage(() => START)
  return { storage, one: createServices({ ...input, storage }), two: createServices({ ...input, storage }) }
}

async function accepts({ verifyAccessToken, time }: ReturnType<typeof createServices>, text: string) {
  return !('kind' in (await verifyAccessToken(text, time.now)))
}

describe('making keys', () => {
  test('starts that race agree on one key', async () => {
    const storage = createMemoryStorage(() => START)
    const all = Array.from({ length: 5 }, () => createServices({ storage }))
    await Promise.all(all.map(({ signingKeys }) => signingKeys.ensureCurrent()))
    expect(storage.rows.signingKeys.size).toBe(1)
    const kids = await Promise.all(all.map(async ({ signingKeys }) => (await signingKeys.current()).kid))
    expect(new Set(kids).size).toBe(1)
  })

  test('a start that finds a key makes none', async () => {
    const { storage, one, two } = createPair()
    await one.signingKeys.ensureCurrent()
    storage.calls.length = 0
    await two.signingKeys.ensureCurrent()
    expect(storage.calls).toEqual(['signingKeys.list'])
  })

  test.each(['EdDSA', 'ES256'] as const)(
    '%s: the kid is the thumbprint, the private half is sealed',
    async (algorithm) => {
      const { memory, signingKeys } = createServices({ jwt: { algorithm } })
      await signingKeys.ensureCurrent()
      const [record] = [...memory.rows.signingKeys.values()]
      expect(record?.kid).toBe(await calculateJwkThumbprint({ ...record?.publicJwk }))
      expect(record?.publicJwk).not.toHaveProperty('d')
      expect(record?.encryptedPrivateJwk).toStartWith('v1.')
    },
  )

  test('HS256: the kid says nothing of the secret, and no public half is shown', async () => {
    const { memory, signingKeys } = createServices({ jwt: { algorithm: 'HS256' } })
    await signingKeys.ensureCurrent()
    const [record] = [...memory.rows.signingKeys.values()]
    expect(record?.publicJwk).toBeNull()
    expect(record?.kid).toMatch(/^[A-Za-z0-9]{43}$/)
    expect(await signingKeys.jwks()).toEqual({ keys: [] })
  })

  test('a sealed key that was moved to another row does not sign', async () => {
    const { memory, signingKeys } = createServices()
    await signingKeys.ensureCurrent()
    const [record] = [...memory.rows.signingKeys.values()]
    if (record === undefined) throw new Error('expected a key')
    memory.rows.signingKeys.clear()
    memory.rows.signingKeys.set('moved', { ...record, kid: 'moved' })
    await expect(createServices({ storage: memory }).signingKeys.current()).rejects.toThrow('does not open')
  })
})

describe('the public set', () => {
  test('verifies our tokens, and holds public members only', async () => {
    const services = createServices()
    const pair = await services.tokens.issueForClient({ clientId: 'importer' })
    const jwks = await services.signingKeys.jwks()
    expect(Object.keys(jwks.keys[0] ?? {}).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x'])
    const { payload } = await jwtVerify(
      pair.access_token,
      createLocalJWKSet({ keys: jwks.keys.map((key) => ({ kty: 'OKP', ...key })) }),
      {
        currentDate: new Date(START),
      },
    )
    expect(payload.sub).toBe('importer')
  })

  test('shows no private member even if a row has one', async () => {
    const { memory, signingKeys } = createServices()
    await signingKeys.ensureCurrent()
    for (const [kid, record] of memory.rows.signingKeys) {
      memory.rows.signingKeys.set(kid, { ...record, publicJwk: { ...record.publicJwk, d: 'private' } })
    }
    expect(JSON.stringify(await createServices({ storage: memory }).signingKeys.jwks())).not.toContain('private')
  })
})

describe('rotation', () => {
  test('a new key signs, the old one verifies for as long as its last token, then is gone', async () => {
    const services = createServices()
    const { signingKeys, tokens, time } = services
    const before = await tokens.issueForClient()
    const old = (await signingKeys.current()).kid
    time.now = START + 5000
    const next = await signingKeys.rotate()
    expect(next).not.toBe(old)
    expect((await signingKeys.current()).kid).toBe(next)
    expect((await signingKeys.jwks()).keys.map(({ kid }) => kid ?? '')).toEqual([next, old])
    expect(await accepts(services, before.access_token)).toBe(true)
    time.now = START + 5000 + GRACE - 1
    expect(await signingKeys.find(old, time.now)).not.toBeNull()
    time.now += 1
    expect(await signingKeys.find(old, time.now)).toBeNull()
    expect((await signingKeys.jwks()).keys.map(({ kid }) => kid ?? '')).toEqual([next])
  })

  test('a process that did not rotate signs with the new key within a second', async () => {
    const { one, two } = createPair()
    const old = (await two.signingKeys.current()).kid
    one.time.now = two.time.now = START + 1000
    const next = await one.signingKeys.rotate()
    expect(next).not.toBe(old)
    expect((await two.signingKeys.current()).kid).toBe(next)
  })

  test('only the platform rotates', async () => {
    const { signingKeys, memory } = createServices()
    const actor = actorWith(['*'], { organizationId: 'org_1' })
    await expectRefused(signingKeys.rotate(actor), 'permission_required')
    expect(memory.rows.signingKeys.size).toBe(0)
  })

  test('another algorithm makes another key; tokens of the old one go on', async () => {
    const storage = createMemoryStorage(() => START)
    const eddsa = createServices({ storage })
    const es256 = createServices({ storage, jwt: { algorithm: 'ES256' } })
    const pair = await eddsa.tokens.issueForClient()
    expect((await es256.signingKeys.current()).algorithm).toBe('ES256')
    expect(await accepts(es256, pair.access_token)).toBe(true)
  })
})

describe('unknown keys', () => {
  test('made by another process a moment ago: looked up', async () => {
    const { one, two } = createPair()
    await two.signingKeys.ensureCurrent()
    one.time.now = two.time.now = START + 1000
    await one.signingKeys.rotate()
    const pair = await one.tokens.issueForClient()
    expect(await accepts(two, pair.access_token)).toBe(true)
  })

  test('made up: storage is asked at most once a second', async () => {
    const { signingKeys, memory, time } = createServices()
    await signingKeys.ensureCurrent()
    memory.calls.length = 0
    for (const at of [999, 1000, 1001, 1999, 2000]) {
      time.now = START + at
      expect(await signingKeys.find(`made-up-${at}`, time.now)).toBeNull()
    }
    expect(memory.calls).toEqual(['signingKeys.list', 'signingKeys.list'])
  })

  test('a known key costs no look-up for a minute', async () => {
    const { signingKeys, memory, time } = createServices()
    const { kid } = await signingKeys.current()
    memory.calls.length = 0
    time.now = START + 59_999
    await signingKeys.find(kid, time.now)
    expect(memory.calls).toEqual([])
    time.now += 1
    await signingKeys.find(kid, time.now)
    expect(memory.calls).toEqual(['signingKeys.list'])
  })
})

describe('secrets that change', () => {
  test('a newer secret makes a new key; tokens of the old one are still accepted', async () => {
    const storage = createMemoryStorage(() => START)
    const old = createServices({ storage })
    const pair = await old.tokens.issueForClient()
    const both = createServices({ storage, secrets: [NEWER, SECRET] })
    await both.signingKeys.ensureCurrent()
    expect(storage.rows.signingKeys.size).toBe(2)
    expect((await both.signingKeys.current()).kid).not.toBe((await old.signingKeys.current()).kid)
    expect(await accepts(both, pair.access_token)).toBe(true)
    expect(await both.signingKeys.countUnreadable()).toBe(0)
  })

  test('with the old secret gone, its public half verifies while its last tokens live, and is history then', async () => {
    const storage = createMemoryStorage(() => START)
    const pair = await createServices({ storage }).tokens.issueForClient()
    const services = createServices({ storage, secrets: [NEWER] })
    const { signingKeys } = services
    expect([await signingKeys.countUnreadable(), await signingKeys.hasReadable()]).toEqual([1, false])
    await signingKeys.ensureCurrent()
    expect([await signingKeys.countUnreadable(), await signingKeys.hasReadable()]).toEqual([0, true])
    expect(await accepts(services, pair.access_token)).toBe(true)
    services.time.now = START + GRACE
    expect((await signingKeys.jwks()).keys).toHaveLength(1)
  })

  test('nor does it verify longer where nobody has asked for a key of the new one yet', async () => {
    const storage = createMemoryStorage(() => START)
    const { kid } = await createServices({ storage }).signingKeys.current()
    const { signingKeys, time } = createServices({ storage, secrets: [NEWER] })
    expect(await signingKeys.find(kid, START + GRACE - 1)).not.toBe(null)
    expect(await signingKeys.find(kid, START + GRACE)).toBe(null)
    time.now = START + GRACE
    expect([await signingKeys.countUnreadable(), signingKeys.isOfOtherSecret(kid)]).toEqual([0, true])
    expect(storage.rows.signingKeys.size).toBe(1)
  })

  test('a shared secret that cannot be opened verifies nothing', async () => {
    const storage = createMemoryStorage(() => START)
    const jwt = { algorithm: 'HS256' } as const
    const pair = await createServices({ storage, jwt }).tokens.issueForClient()
    expect(await accepts(createServices({ storage, jwt, secrets: [NEWER, SECRET] }), pair.access_token)).toBe(true)
    expect(await accepts(createServices({ storage, jwt, secrets: [NEWER] }), pair.access_token)).toBe(false)
  })
})
