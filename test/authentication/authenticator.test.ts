/** What is remembered of a credential while storage is away, on a kind that is looked up by hand. */
import { expect, test } from 'bun:test'
import { Authenticator, type Found } from '../../src/authentication/authenticator.ts'
import { type Outcome, type Refusal, refusal, type SessionPrincipal } from '../../src/authentication/principal.ts'
import { MachineAuthError } from '../../src/errors.ts'
import { ALICE, sessionPrincipal } from '../support/guarded-app.ts'
import { until } from '../support/until.ts'

const TTL = 60_000
const STALENESS = 300_000
const AWAY = new MachineAuthError('storage_unavailable', { retryAfter: 1 })
const PRINCIPAL = sessionPrincipal(ALICE)

type Said = Outcome<SessionPrincipal> | Promise<Outcome<SessionPrincipal>>

function create({ validUntil = Number.POSITIVE_INFINITY, ttl = TTL, staleness = STALENESS, patience = 5000 } = {}) {
  const state = { now: 0, lookups: 0, isIdle: false, sayOf: (): Said => PRINCIPAL }
  const landings: PromiseWithResolvers<Found<string> | Refusal>[] = []
  const authenticator = new Authenticator<string, SessionPrincipal>(
    {
      slotOf: (text) => text.charCodeAt(0),
      refuseMalformed: () => undefined,
      lookup() {
        state.lookups += 1
        const landing = Promise.withResolvers<Found<string> | Refusal>()
        landings.push(landing)
        return landing.promise
      },
      principalOf: () => state.sayOf(),
      onHit: () => !state.isIdle,
    },
    {
      clock: () => state.now,
      ttl,
      staleness,
      patience,
      size: 10,
      ready: Promise.resolve(),
      toRefusal: (error) => refusal(error instanceof MachineAuthError ? error.code : 'internal_error'),
    },
  )
  const land = async (how: 'found' | Error | Refusal) => {
    while (landings.length === 0) await Promise.resolve()
    const landing = landings.shift()
    if (how === 'found') landing?.resolve({ base: 'base', validUntil, dependencies: { session: 'sess_1' } })
    else if (how instanceof Error) landing?.reject(how)
    else landing?.resolve(how)
  }
  const ask = async (text: string, how: Parameters<typeof land>[0]) => {
    const [outcome] = await Promise.all([authenticator.resolve(text), land(how)])
    return outcome.kind === 'refused' ? outcome.code : 'served'
  }
  return { authenticator, state, land, ask }
}

async function createKnown(options: Parameters<typeof create>[0] = {}) {
  const t = create(options)
  expect(await t.ask('a-right', 'found')).toBe('served')
  t.state.now = TTL
  return t
}

test('it is known without waiting for a second after storage failed, and not longer', async () => {
  const { authenticator, state, ask } = await createKnown()
  expect(authenticator.peek('a-right')).toBeUndefined()
  expect(await ask('a-right', AWAY)).toBe('served')
  state.now += 999
  expect(authenticator.peek('a-right')).toBe(PRINCIPAL)
  state.now += 1
  expect(authenticator.peek('a-right')).toBeUndefined()
})

test('the second ends with what it may be believed for, and with its own end', async () => {
  const bounded = await createKnown({ staleness: TTL + 10 })
  expect(await bounded.ask('a-right', AWAY)).toBe('served')
  const ending = await createKnown({ validUntil: TTL + 10 })
  expect(await ending.ask('a-right', AWAY)).toBe('served')
  for (const { authenticator, state, ask } of [bounded, ending]) {
    state.now = TTL + 9
    expect(authenticator.peek('a-right')).toBe(PRINCIPAL)
    state.now = TTL + 10
    expect(authenticator.peek('a-right')).toBeUndefined()
    expect(await ask('a-right', AWAY)).toBe('storage_unavailable')
  }
})

test('storage is asked once for all who ask at once', async () => {
  const { authenticator, state, land } = await createKnown()
  const asking = Array.from({ length: 10 }, () => authenticator.resolve('a-right'))
  await land(AWAY)
  expect(await Promise.all(asking)).toEqual(Array.from({ length: 10 }, () => PRINCIPAL))
  expect([state.lookups, authenticator.figures.stale]).toEqual([2, 10])
})

test.each<[what: string, failure: Error, said: string]>([
  ['that storage is away', AWAY, 'served'],
  ['a fault', new Error('of somebody'), 'internal_error'],
  ['a contradiction', new MachineAuthError('conflict'), 'conflict'],
])('of failures only one makes it believed: %s', async (_, failure, said) => {
  const { ask } = await createKnown()
  expect(await ask('a-right', failure)).toBe(said)
})

test.each<[what: string, takeAway: (cache: Awaited<ReturnType<typeof createKnown>>['authenticator']['cache']) => void]>(
  [
    ['what it depends on was changed', (cache) => cache.invalidate('session', 'sess_1')],
    ['all was forgotten', (cache) => cache.clear()],
  ],
)('a look-up that fails after %s does not bring it back', async (_, takeAway) => {
  const { authenticator, land } = await createKnown()
  const asking = authenticator.resolve('a-right')
  while (authenticator.figures.misses < 2) await Promise.resolve()
  takeAway(authenticator.cache)
  await land(AWAY)
  expect(await asking).toMatchObject({ code: 'storage_unavailable' })
  expect(authenticator.peek('a-right')).toBeUndefined()
})

test('another text in its place is not believed, and takes nothing away', async () => {
  const { ask } = await createKnown()
  expect(await ask('a-wrong', AWAY)).toBe('storage_unavailable')
  expect(await ask('a-wrong', refusal('session_invalid'))).toBe('session_invalid')
  expect(await ask('a-right', AWAY)).toBe('served')
})

test.each([
  ['session_invalid', 'storage_unavailable'],
  // There was no room to look at it.
  ['locked_out', 'served'],
] as const)('after %s it is %s', async (code, said) => {
  const { ask } = await createKnown()
  expect(await ask('a-right', refusal(code))).toBe(code)
  expect(await ask('a-right', AWAY)).toBe(said)
})

test('one that is idle is not believed', async () => {
  const { state, ask } = await createKnown()
  state.isIdle = true
  expect(await ask('a-right', AWAY)).toBe('storage_unavailable')
})

test('it is fresh again once storage has confirmed it', async () => {
  const { authenticator, state, ask } = await createKnown()
  await ask('a-right', AWAY)
  state.now += 1000
  expect(await ask('a-right', 'found')).toBe('served')
  state.now += TTL - 1
  expect(authenticator.peek('a-right')).toBe(PRINCIPAL)
  expect(authenticator.figures.stale).toBe(1)
})

test('who was verified lately does not wait for storage that is slow, and what it says late counts', async () => {
  const { authenticator, state, land, ask } = await createKnown({ patience: 0 })
  expect(await authenticator.resolve('a-right')).toBe(PRINCIPAL)
  expect([authenticator.peek('a-right'), authenticator.figures.stale]).toEqual([PRINCIPAL, 2])
  await land(refusal('api_key_revoked'))
  await until(() => authenticator.peek('a-right') === undefined)
  state.now += 1
  expect(await ask('a-right', AWAY)).toBe('storage_unavailable')
})

test('storage that hangs is asked once for each who was verified lately, and only the first waits for it', async () => {
  const { authenticator, state, land } = await createKnown({ patience: 1 })
  const served: unknown[] = []
  const ask = () => authenticator.resolve('a-right').then((outcome) => served.push(outcome))
  await ask()
  for (let count = 1; count < 10; count += 1) {
    state.now += 1000
    const asking = ask()
    // No timer can come in between.
    for (let turn = 0; turn < 20; turn += 1) await null
    expect(served).toHaveLength(count + 1)
    await asking
  }
  expect(served).toEqual(Array.from({ length: 10 }, () => PRINCIPAL))
  expect([state.lookups, authenticator.figures.stale]).toEqual([2, 10])
  state.now += 1000
  await land('found')
  await until(() => authenticator.peek('a-right') === PRINCIPAL)
  expect([state.lookups, authenticator.figures.stale]).toEqual([2, 10])
})

test.each<[what: string, how: 'found' | Error]>([
  ['found', 'found'],
  ['not found out', AWAY],
])('whoever joins a look-up waits no longer than who began it, and asks the app for himself: %s', async (_, how) => {
  const { authenticator, state, land } = create({ patience: 1 })
  let asked = 0
  const say = () => {
    asked += 1
    return Promise.resolve<Outcome<SessionPrincipal>>(PRINCIPAL)
  }
  state.sayOf = say
  await Promise.all([authenticator.resolve('a-right'), land('found')])
  state.now = TTL
  asked = 0
  const all = await Promise.all(Array.from({ length: 5 }, () => authenticator.resolve('a-right')))
  expect([all.every((outcome) => outcome === PRINCIPAL), asked, state.lookups]).toEqual([true, 5, 2])
  // What nobody waits for any more may fail, too.
  state.sayOf = () => {
    asked += 1
    return Promise.reject(new Error('the app cannot say'))
  }
  await land(how)
  await until(() => asked === 6)
  state.sayOf = say
  expect(await authenticator.resolve('a-right')).toBe(PRINCIPAL)
})

test('after an invalidation a look-up that hangs is not waited for, but made anew', async () => {
  const { authenticator, state, land } = await createKnown({ patience: 0 })
  expect(await authenticator.resolve('a-right')).toBe(PRINCIPAL)
  authenticator.cache.invalidate('session', 'sess_1')
  const asking = authenticator.resolve('a-right')
  await until(() => state.lookups === 3)
  await land('found')
  await land(refusal('session_invalid'))
  expect(await asking).toMatchObject({ code: 'session_invalid' })
  expect(authenticator.peek('a-right')).toBeUndefined()
})

test('who may not be believed waits for storage, however slow it is', async () => {
  const { authenticator, state, ask } = await createKnown({ patience: 0 })
  expect(await ask('b-new', 'found')).toBe('served')
  state.now = STALENESS
  expect(await ask('a-right', 'found')).toBe('served')
  state.now += TTL
  state.isIdle = true
  expect(await ask('a-right', refusal('session_expired'))).toBe('session_expired')
  expect(authenticator.figures.stale).toBe(0)
})
