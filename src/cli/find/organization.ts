/** An organization by its name or id. */
import type { OrganizationView } from '../../accounts/views.ts'
import type { AnyMachineAuth } from '../../core.ts'
import { CommandError } from '../errors.ts'
import { orNull } from './or-null.ts'

/** @throws CommandError when there is none */
export async function findOrganization(core: AnyMachineAuth, text: string): Promise<OrganizationView> {
  const byId = text.startsWith('org_') ? await orNull(core.organizations.find(text)) : null
  const found = byId ?? (await core.organizations.findByName(text))
  if (found === null) throw new CommandError(`There is no organization with the name or id ${JSON.stringify(text)}.`)
  return found
}
