/** Telling that keys expire soon: each once, to the app and the audit log. */
import { describe, expect, test } from 'bun:test'
import { SYSTEM } from '../../src/authorization/actor.ts'
import { type ExpiryWarningsOptions, warnOfExpiry } from '../../src/keys/expiry-warnings.ts'
import { auditedActions, createServices, START } from '../support/services.ts'

const DAY = 86_400_000
const at = (days: number) => new Date(START + days * DAY).toISOString()

function setUp() {
  const services = createServices()
  const told: Parameters<NonNullable<ExpiryWarningsOptions['onExpiring']>>[0][] = []
  const warnings: string[] = []
  return {
    services,
    told,
    warnings,
    names: () => told.map(({ name }) => name).sort(),
    create: async (name: string, days: number | null, organizationId?: string) =>
      (await services.keys.create({ name, organizationId, expiresAt: days === null ? null : at(days) })).key,
    tell: (more: Partial<ExpiryWarningsOptions> = {}) =>
      warnOfExpiry(
        {
          keys: services.storage.keys,
          ahead: 7 * DAY,
          audit: services.audit,
          onExpiring: (key) => void told.push(key),
          warn: (message) => warnings.push(message),
          ...more,
        },
        services.time.now,
      ),
  }
}

describe('keys that expire soon', () => {
  test('are told of once, with what people know them by and no more', async () => {
    const { services, told, tell, create } = setUp()
    const { id: acme } = await services.organizations.create({ name: 'Acme' })
    const { id, prefix } = await create('soon', 7, acme)
    await create('later', 7.001)
    await create('for ever', null)
    await tell()
    const expected = { id, name: 'soon', prefix, organizationId: acme, userId: null, expiresAt: at(7) }
    expect(told).toEqual([expected])
    expect(Object.isFrozen(told[0])).toBe(true)
    const events = [...services.memory.rows.audit.values()].filter(({ action }) => action === 'key.expiring')
    const details = { expiresAt: at(7) }
    expect(events).toMatchObject([{ actor: SYSTEM.id, subject: id, organizationId: acme, details }])
    services.time.now += DAY / 2
    await tell()
    expect(told.map(({ name }) => name)).toEqual(['soon', 'later'])
    await tell()
    expect(told).toHaveLength(2)
  })

  test('are not told of when they are of no use any more', async () => {
    const { services, told, tell, create } = setUp()
    await services.keys.disable((await create('disabled', 1)).id)
    await services.keys.revoke((await create('revoked', 1)).id)
    await create('expired', 0.5)
    services.time.now += 0.5 * DAY
    await tell()
    expect(told).toEqual([])
  })

  test('are told of again when they get another expiry, and not for any other change', async () => {
    const { services, names, tell, create } = setUp()
    const { id } = await create('moved', 3)
    await tell()
    await services.keys.update(id, { name: 'moved again' })
    await tell()
    expect(names()).toEqual(['moved'])
    await services.keys.update(id, { expiresAt: at(5) })
    await tell()
    expect(names()).toEqual(['moved', 'moved again'])
    await services.keys.update(id, { expiresAt: at(100) })
    await tell()
    expect(names()).toHaveLength(2)
  })

  test('a successor is told of by itself', async () => {
    const { services, names, tell, create } = setUp()
    const { id } = await create('rotated', 3)
    await tell()
    await services.keys.rotate(id, { gracePeriod: '0s' })
    await tell()
    expect(names()).toEqual(['rotated', 'rotated'])
  })

  test('are told of by one of several processes', async () => {
    const { names, tell, create } = setUp()
    for (let count = 0; count < 5; count += 1) await create(`k${count}`, 1)
    await Promise.all([tell(), tell(), tell()])
    expect(names()).toEqual(['k0', 'k1', 'k2', 'k3', 'k4'])
  })

  test('are all told of, also where there are more than are read at once', async () => {
    const { told, tell, create } = setUp()
    for (let count = 0; count < 201; count += 1) await create(`k${count}`, 1)
    await tell()
    expect(new Set(told.map(({ id }) => id)).size).toBe(201)
  })
})

test('an interval of 0 is off: storage is not asked', async () => {
  const { services, told, tell, create } = setUp()
  await create('soon', 1)
  services.memory.calls.length = 0
  await tell({ ahead: 0 })
  expect([told, services.memory.calls]).toEqual([[], []])
})

test('without a way of the app’s own the audit log is told', async () => {
  const { services, tell, create } = setUp()
  await create('soon', 1)
  await tell({ onExpiring: undefined })
  expect(auditedActions(services)).toEqual(['key.created', 'key.expiring'])
})

describe('what fails with one key does not keep the others from being told', () => {
  test.each<[string, (name: string) => void | Promise<void>]>([
    ['throws', () => void JSON.parse('{')],
    ['rejects', () => Promise.reject(new Error('mail server down'))],
  ])('the app %s', async (_, fail) => {
    const { services, told, warnings, tell, create } = setUp()
    const ids = [(await create('a', 1)).id, (await create('b', 2)).id]
    await tell({
      onExpiring(key) {
        told.push(key)
        return fail(key.name)
      },
    })
    expect(told).toHaveLength(2)
    expect(warnings.sort()).toEqual(ids.map((id) => `onExpiring failed for ${id}`).sort())
    expect(auditedActions(services).filter((action) => action === 'key.expiring')).toHaveLength(2)
  })

  test('the app never answers', async () => {
    const { told, warnings, tell, create } = setUp()
    for (const name of ['a', 'b']) await create(name, 1)
    await tell({
      patience: 1,
      onExpiring(key) {
        told.push(key)
        return new Promise(() => undefined)
      },
    })
    expect([told.length, warnings.length]).toEqual([2, 2])
  })

  test('the audit log cannot be written', async () => {
    const { services, names, warnings, tell, create } = setUp()
    const { id } = await create('a', 1)
    await create('b', 2)
    services.memory.before.set('audit.append', () => {
      throw new Error('disk full')
    })
    await tell()
    expect(names()).toEqual(['a', 'b'])
    expect(warnings).toEqual([`the audit log could not be told that ${id} expires soon`])
    expect(auditedActions(services).filter((action) => action === 'key.expiring')).toHaveLength(1)
  })

  test('but a database that does not answer is told to whoever asked', async () => {
    const { services, tell, create } = setUp()
    await create('a', 1)
    services.memory.before.set('keys.claimExpiryWarnings', () => {
      throw new Error('timeout')
    })
    await expect(tell()).rejects.toThrow('timeout')
    await tell()
    expect(auditedActions(services)).toContain('key.expiring')
  })
})
