/** What an app's own functions answer by mistake, in JavaScript or past a cast, is no yes. */
import { describe, expect, test } from 'bun:test'
import type { MachineAuthOptions } from '../../src/index.ts'
import { withLog } from '../guards/support.ts'
import { addPeople, createTestApp, withBearer } from '../support/test-app.ts'

type VerifyBearer = NonNullable<MachineAuthOptions['bearer']>['verify']
type LoadUser = NonNullable<NonNullable<MachineAuthOptions['users']>['load']>

/** As in plain JavaScript: any answer. */
const answering = <F>(answer: unknown) => (() => answer) as F

const NO_VERDICTS: readonly (readonly [string, unknown])[] = [
  ['false', false],
  ['true', true],
  ['zero', 0],
  ['an empty text', ''],
  ['a text', 'yes'],
  ['a list', []],
]

describe.each(NO_VERDICTS)('%s', (_, answer) => {
  test('from bearer.verify lets nobody in', async () => {
    await using t = await createTestApp({ bearer: { verify: answering<VerifyBearer>(answer) } })
    const { result } = await withLog(() => t.ask('/token', { headers: withBearer('whatever') }))
    expect(result.status).not.toBe(200)
    expect(result.text).not.toContain('"id"')
  })

  test('from users.load is no user', async () => {
    await using t = await createTestApp({ users: { load: answering<LoadUser>(answer) } })
    const { cookieValue } = await t.core.sessions.create('user_gone')
    const { result } = await withLog(() => t.ask('/user', { headers: { cookie: `session_id=${cookieValue}` } }))
    expect(result.status).not.toBe(200)
  })
})

test.each(['users.*', 'users.view posts.*', '*'])(
  'permissions as one text, %j, are not taken letter by letter',
  async (text) => {
    const verify = answering<VerifyBearer>({ permissions: text })
    await using t = await createTestApp({ bearer: { verify } }, (app) =>
      app.get('/delete', () => 'deleted', { requirePermission: 'posts.delete' }),
    )
    const headers = withBearer('whatever')
    const { result } = await withLog(async () => [
      await t.ask('/delete', { headers }),
      await t.ask('/auth/keys', { headers, body: { name: 'mine', permissions: ['*'] } }),
    ])
    expect(result.map(({ status }) => status)).not.toContain(200)
    expect(result.map(({ status }) => status)).not.toContain(201)
  },
)

test('an expiry that is no number is not remembered for ever', async () => {
  let isRevoked = false
  const verify = () => (isRevoked ? null : { permissions: ['users.view'], expiresAt: '2031-01-01T00:00:00Z' })
  await using t = await createTestApp({ bearer: { verify: verify as unknown as VerifyBearer } })
  const headers = withBearer('whatever')
  await withLog(() => t.ask('/users', { headers }))
  isRevoked = true
  t.time.now += 10 * 365 * 86_400_000
  const { result } = await withLog(() => t.ask('/users', { headers }))
  expect(result.said).toBe('401 token_invalid')
})

test('the organization that bearer.verify names counts: suspended, it refuses', async () => {
  let organizationId = ''
  const verify: VerifyBearer = (token) => ({
    organizationId,
    permissions: ['users.view'],
    ...(token === 'of-bob' ? { userId: 'user_bob' } : {}),
  })
  await using t = await createTestApp({ bearer: { verify } })
  await addPeople(t)
  organizationId = (await t.core.organizations.create({ name: 'Acme' })).id
  const askBoth = async () => [
    (await t.ask('/users', { headers: withBearer('of-nobody') })).said,
    (await t.ask('/token', { headers: withBearer('of-bob') })).said,
  ]
  expect(await askBoth()).toEqual(['200', '200'])
  await t.core.organizations.suspend(organizationId)
  expect(await askBoth()).toEqual(['403 organization_suspended', '403 organization_suspended'])
})
