/** One refresh token, spent and logged out long ago, must not empty the memory of credentials again and again. */
import { expect, test } from 'bun:test'
import { createServices } from '../support/services.ts'

test('logging out once more forgets nothing', async () => {
  const services = createServices()
  const user = await services.users.create({ email: 'a@example.com', password: 'long enough' })
  const { refresh_token: token } = await services.tokens.issueForUser(user)
  await services.tokens.logout(token)
  const before = services.invalidated.length
  expect(before).toBeGreaterThan(0)
  for (let count = 0; count < 3; count += 1) await services.tokens.logout(token)
  expect(services.invalidated).toHaveLength(before)
})
