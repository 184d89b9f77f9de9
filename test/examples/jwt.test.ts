import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createVerifier } from '../../examples/jwt.ts'
import { bearer, type Example, login, request, START_TIMEOUT, startExample } from './support.ts'

const PASSWORD = 'correct horse battery staple'
const EMAIL = 'alice@example.com'

let example: Example
beforeAll(async () => {
  example = await startExample('examples/jwt.ts', { env: { DEMO_PASSWORD: PASSWORD } })
}, START_TIMEOUT)
afterAll(() => example[Symbol.asyncDispose]())

test('answers its routes to whoever logged in', async () => {
  const { access_token } = await login(example.origin, EMAIL, PASSWORD)
  const profile = await request(example.origin, 'GET /profile', { headers: bearer(access_token) })
  expect(profile.body).toEqual({ id: expect.stringMatching(/^user_/), isAlice: true })
  const token = await request(example.origin, 'GET /token', { headers: bearer(access_token) })
  expect(token.body).toEqual({ plan: 'basic', expiresAt: expect.any(String) })
})

test.each(['GET /profile', 'GET /token'])('%s answers 401 to anybody else', async (target) => {
  const { status, body } = await request(example.origin, target)
  expect([status, body.code]).toEqual([401, 'credential_missing'])
})

test('another process verifies the token by the public keys alone, and sees the custom claim', async () => {
  const { access_token } = await login(example.origin, EMAIL, PASSWORD)
  const verify = createVerifier(example.origin)
  expect(await verify(access_token)).toMatchObject({ plan: 'basic', roles: ['customer'] })
  const [head = '', , signature = ''] = access_token.split('.')
  const forged = `${head}.${Buffer.from('{"sub":"mallory"}').toString('base64url')}.${signature}`
  await expect(verify(forged)).rejects.toThrow('signature verification failed')
})

test('refreshes once per token, and ends with the logout', async () => {
  const first = await login(example.origin, EMAIL, PASSWORD)
  const refreshed = await request(example.origin, 'POST /auth/refresh', {
    body: { refresh_token: first.refresh_token },
  })
  expect(refreshed.body).toMatchObject({ token_type: 'Bearer', expires_in: 300 })
  expect(refreshed.body.refresh_token).not.toBe(first.refresh_token)
  const loggedOut = await request(example.origin, 'POST /auth/logout', {
    body: { refresh_token: refreshed.body.refresh_token },
  })
  expect(loggedOut.status).toBe(204)
  for (const token of [first.access_token, refreshed.body.access_token]) {
    const { status, body } = await request(example.origin, 'GET /profile', { headers: bearer(token) })
    expect([status, body.code]).toEqual([401, 'token_revoked'])
  }
})

test('leaves no file behind', () => {
  expect(example.files()).toEqual([])
})
