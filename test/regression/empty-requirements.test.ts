/** A demand in code that demands nothing, or names what nobody looks at, is a mistake and not a yes. */
import { expect, test } from 'bun:test'
import type { ApiKeyView } from '../../src/authentication/views.ts'
import type { Auth } from '../../src/guards/auth.ts'
import { withLog } from '../guards/support.ts'
import { addKey, createTestApp } from '../support/test-app.ts'

type Requirement = Parameters<Auth['apiKey']>[0]

const DEMANDS: Readonly<Record<string, (auth: Auth) => Promise<unknown>>> = {
  'no permission': (auth) => auth.requirePermission([]),
  'a key with no permissions named': (auth): Promise<ApiKeyView> => auth.apiKey({ permissions: [] }),
  'a misspelt member': (auth): Promise<ApiKeyView> => auth.apiKey({ permission: ['users.view'] } as Requirement),
}

test.each(Object.keys(DEMANDS))('%s', async (name) => {
  await using t = await createTestApp({}, (app) =>
    app.get('/demand', async ({ auth }) => {
      await DEMANDS[name]?.(auth)
      return 'let in'
    }),
  )
  const { headers } = await addKey(t)
  const { result } = await withLog(() => t.ask('/demand', { headers }))
  expect(result.text).not.toBe('let in')
})
