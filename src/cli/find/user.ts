/** A user by his id or e-mail address. */
import type { UserView } from '../../accounts/views.ts'
import type { AnyMachineAuth } from '../../core.ts'
import { CommandError } from '../errors.ts'
import { orNull } from './or-null.ts'

/** @throws CommandError when there is none */
export async function findUser(core: AnyMachineAuth, text: string): Promise<UserView> {
  const byEmail = text.includes('@') ? await core.users.findByEmail(text) : null
  const found = byEmail ?? (await orNull(core.users.find(text)))
  if (found === null) throw new CommandError(`There is no user with the e-mail address or id ${JSON.stringify(text)}.`)
  return found
}
