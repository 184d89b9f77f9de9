/** The blog's two users, made at the first start. */
import { randomBytes } from 'node:crypto'
import type { MachineAuth } from 'elysia-machine-auth'

const USERS = [
  { email: 'alice@example.com', roles: ['admin'] },
  { email: 'bob@example.com', roles: ['user'] },
] as const

/**
 * Makes sure both users exist, with the password of `DEMO_PASSWORD`, or a random one that is printed once.
 *
 * @returns their ids
 */
export async function ensureUsers(core: MachineAuth<string>, demoPassword: string | undefined) {
  const generated = demoPassword === undefined || demoPassword === ''
  const password = generated ? randomBytes(12).toString('base64url') : demoPassword
  const ids: string[] = []
  let created = 0
  for (const { email, roles } of USERS) {
    const known = await core.users.findByEmail(email)
    if (known === null) {
      ids.push((await core.users.create({ email, password, roles })).id)
      created += 1
      continue
    }
    ids.push(known.id)
    if (!generated && !(await hasPassword(core, email, password))) await core.users.setPassword(known.id, password)
  }
  if (generated && created > 0)
    console.log(`Log in as ${USERS.map((user) => user.email).join(' or ')} with ${password}`)
  const [alice = '', bob = ''] = ids
  return { alice, bob }
}

/** Setting a password ends the user's sessions, so it is set only where it differs. */
async function hasPassword(core: MachineAuth<string>, email: string, password: string): Promise<boolean> {
  return core.login.verify(email, password).then(
    () => true,
    () => false,
  )
}
