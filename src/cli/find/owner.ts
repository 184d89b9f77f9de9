/** The ids of whom `--organization` and `--user` name. */
import type { AnyMachineAuth } from '../../core.ts'
import { findOrganization } from './organization.ts'
import { findUser } from './user.ts'

export interface OwnerOptions {
  readonly organization?: string | undefined
  readonly user?: string | undefined
}

/** @returns undefined for what is not given */
export async function findOwner(
  core: AnyMachineAuth,
  { organization, user }: OwnerOptions,
): Promise<{ readonly organizationId: string | undefined; readonly userId: string | undefined }> {
  return {
    organizationId: organization === undefined ? undefined : (await findOrganization(core, organization)).id,
    userId: user === undefined ? undefined : (await findUser(core, user)).id,
  }
}
