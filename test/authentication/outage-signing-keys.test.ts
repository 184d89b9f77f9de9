/** Signing keys that are known verify on while the database is away; of others nothing is said. */
import { describe, expect, test } from 'bun:test'
import { AuditLog } from '../../src/recording/audit/audit.ts'
import { SigningKeys } from '../../src/tokens/signing-keys.ts'
import { createMemoryStorage } from '../support/memory-storage.ts'
import { withOutages } from '../support/outage.ts'
import { expectRefused } from '../support/refusals.ts'
import { JWT, SECRET, START } from '../support/services.ts'
import { STALENESS } from './support.ts'

async function createKeys(staleness = STALENESS) {
  const time = { now: START }
  const clock = () => time.now
  const { storage, outage } = withOutages(createMemoryStorage(clock))
  const secrets = [SECRET]
  const audit = new AuditLog({ store: storage.audit, clock, secrets })
  const keys = new SigningKeys({ ...JWT, store: storage.signingKeys, clock, secrets, staleness, audit })
  await keys.ensureCurrent()
  const { kid } = await keys.current()
  outage.isAway = true
  return { keys, kid, time, outage }
}

describe('while the database is away', () => {
  test('a known one verifies until it was read too long ago', async () => {
    const { keys, kid, time } = await createKeys()
    time.now += STALENESS - 1
    expect(await keys.find(kid, time.now)).toMatchObject({ kid })
    time.now += 1
    await expectRefused(keys.find(kid, time.now), 'storage_unavailable')
  })

  test('the public ones are shown as long', async () => {
    const { keys, kid, time } = await createKeys()
    time.now += STALENESS - 1
    expect((await keys.jwks()).keys.map((jwk) => jwk.kid)).toEqual([kid])
    time.now += 1
    await expectRefused(keys.jwks(), 'storage_unavailable')
  })

  test('one that nobody knows is not called wrong: another process may have made it', async () => {
    const { keys, time } = await createKeys()
    time.now += 1000
    await expectRefused(keys.find('made-elsewhere', time.now), 'storage_unavailable')
  })

  test('none signs that may have been retired', async () => {
    const { keys, time } = await createKeys()
    time.now += 1000
    await expectRefused(keys.current(), 'storage_unavailable')
  })

  test('none verifies after others were heard to have changed them', async () => {
    const { keys, kid, time } = await createKeys()
    keys.forget()
    await expectRefused(keys.find(kid, time.now), 'storage_unavailable')
    keys.stop()
  })

  test('none verifies for longer than it is usually believed, without staleness', async () => {
    const { keys, kid, time } = await createKeys(0)
    time.now += 60_000
    await expectRefused(keys.find(kid, time.now), 'storage_unavailable')
  })
})
