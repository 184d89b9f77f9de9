/** A signing key that is gone from the database takes the tokens that it signed with it, though they are remembered. */
import { expect, test } from 'bun:test'
import { createApp } from '../authentication/support.ts'
import { withBearer } from '../support/test-app.ts'
import { until } from '../support/until.ts'

/** A token that is remembered, and the removal of the key that signed it. */
async function createTokens() {
  const t = await createApp()
  const { tokens, users, signingKeys } = t.core
  const issue = async () => {
    const { access_token } = await tokens.issueForUser(await users.find(t.bob.id))
    const { kid } = await signingKeys.current()
    const ask = async () => (await t.ask('/token', { headers: withBearer(access_token) })).said
    expect(await ask()).toBe('200')
    return { ask, kid }
  }
  const old = await issue()
  await signingKeys.rotate()
  const young = await issue()
  expect(young.kid).not.toBe(old.kid)
  t.memory.rows.signingKeys.delete(old.kid)
  return { t, old, young, [Symbol.asyncDispose]: () => t.close() }
}

test('they are refused from when it is heard, and those of other keys are not', async () => {
  await using made = await createTokens()
  const { t, old, young } = made
  expect(await old.ask()).toBe('200')
  t.core.signingKeys.forget()
  await until(async () => (await old.ask()) !== '200')
  expect([await old.ask(), await young.ask()]).toEqual(['401 token_invalid', '200'])
})

test('they are refused, too, when the keys could not be read at first', async () => {
  await using made = await createTokens()
  const { t, old, young } = made
  t.outage.isAway = true
  t.core.signingKeys.forget()
  const tries = () => t.outage.asked.filter((verb) => verb === 'signingKeys.list').length
  await until(() => tries() >= 2)
  expect(await old.ask()).toBe('200')
  t.outage.isAway = false
  await until(async () => (await old.ask()) !== '200')
  expect([await old.ask(), await young.ask()]).toEqual(['401 token_invalid', '200'])
})
