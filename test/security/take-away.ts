/**
 * A process of its own that takes things away on the database of another: what `processes.test.ts` spawns.
 *
 * bun take-away.ts DATABASE SECRET '[["keys","revoke","key_…"], …]'
 */
import { createMachineAuth } from '../../src/index.ts'

const [database = '', secret = '', calls = '[]'] = process.argv.slice(2)
await using core = createMachineAuth({ database, secret }, { env: {}, cwd: '/' })
await core.ready

const VERBS: Readonly<Record<string, (id: string) => Promise<unknown>>> = {
  'revoke key': (id) => core.keys.revoke(id, { reason: 'elsewhere' }),
  'revoke token': (id) => core.tokens.bearer.revoke(id),
  'revoke families': (id) => core.tokens.revokeUser(id),
  'end session': (id) => core.sessions.end(id),
  'disable user': (id) => core.users.disable(id),
  'suspend organization': (id) => core.organizations.suspend(id),
  'take permissions': (id) => core.roles.put(id, { permissions: [] }),
}
for (const [verb, id] of JSON.parse(calls) as readonly (readonly [string, string])[]) await VERBS[verb]?.(id)
console.log('done')
