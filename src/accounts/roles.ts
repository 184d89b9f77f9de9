/** Stored roles, beside those of the options. */
import { type Actor, requireGrantable, requirePlatform, SYSTEM } from '../authorization/actor.ts'
import { resolveGrants } from '../authorization/grants.ts'
import type { PermissionRegistry } from '../authorization/registry.ts'
import type { RoleRegistry } from '../authorization/roles.ts'
import { MachineAuthError } from '../errors.ts'
import { afterwards } from '../lib/afterwards.ts'
import type { Clock } from '../lib/clock.ts'
import { FieldErrors, invalidField } from '../lib/field-errors.ts'
import { isName } from '../lib/names.ts'
import type { AuditLog } from '../recording/audit/audit.ts'
import { differencesOf } from '../recording/audit/differences.ts'
import type { RoleStore } from '../storage/ports/accounts.ts'
import type { ChangeKind, RoleRecord } from '../storage/records.ts'
import { inheritsFrom } from '../storage/role-inheritance.ts'
import type { RoleView } from './views.ts'

export interface NewRole {
  readonly permissions: readonly string[]
  /** Roles whose permissions it grants too. */
  readonly inherits?: readonly string[] | undefined
}

export interface RoleServiceOptions {
  readonly store: RoleStore
  readonly registry: RoleRegistry
  readonly permissions: PermissionRegistry
  /** The roles of the options, which nothing stored can change. */
  readonly configured: Readonly<Record<string, readonly string[]>>
  /** Lets this process's registry take over what is stored; called after every commit. */
  readonly reload: () => Promise<void>
  readonly clock: Clock
  readonly invalidate: (kind: ChangeKind, subject: string) => void
  readonly audit: Pick<AuditLog, 'record'>
}

const MAX_INHERITS = 32
const CIRCLE = 'must not inherit from itself, directly or through others'

export class RoleService {
  readonly #options: RoleServiceOptions

  constructor(options: RoleServiceOptions) {
    this.#options = options
  }

  /** Every role by name, those of the options first. */
  async list(actor: Actor = SYSTEM): Promise<readonly RoleView[]> {
    requirePlatform(actor)
    const { store, configured } = this.#options
    const stored = (await store.list()).filter(({ name }) => !Object.hasOwn(configured, name))
    return [
      ...Object.entries(configured).map(([name, permissions]) =>
        toView({ name, permissions, inherits: [] }, 'options'),
      ),
      ...stored.map((role) => toView(role, 'stored')),
    ]
  }

  /** @throws MachineAuthError `not_found`, `permission_required` without platform reach */
  async find(name: string, actor: Actor = SYSTEM): Promise<RoleView> {
    const role = (await this.list(actor)).find((each) => each.name === name)
    if (role === undefined) throw new MachineAuthError('not_found')
    return role
  }

  /**
   * Creates or replaces a role. It counts for its users from the next request on.
   *
   * @throws MachineAuthError `permission_required` without platform reach, or for a role that grants or granted more
   * than the actor has; `conflict` for a role of the options; `validation_failed`
   */
  async put(name: string, input: NewRole, actor: Actor = SYSTEM): Promise<RoleView> {
    requirePlatform(actor)
    this.#requireStorable(name)
    const { store, registry, permissions: known, clock, audit } = this.#options
    const errors = new FieldErrors()
    const permissions = resolveGrants(known, input.permissions, errors)
    const inherits = await this.#resolveInherits(name, input.inherits ?? [], errors)
    errors.throwIfAny()
    requireGrantable(actor, permissions)
    requireGrantable(actor, registry.permissionsOf([name, ...inherits]).names)
    const role: RoleRecord = { name, permissions, inherits }
    const before = (await store.list()).find((each) => each.name === name) ?? null
    // Somebody else may have closed the circle since it was looked for.
    if (!(await this.#commit(name, () => store.put(role, clock())))) throw invalidField('inherits', CIRCLE)
    const differences = differencesOf(before ?? {}, { permissions, inherits })
    if (differences !== null)
      await audit.record({ action: 'role.put', actor, subject: name, details: { ...differences } })
    return toView(role, 'stored')
  }

  /**
   * Deletes a role; users who have it keep its name, which grants nothing.
   *
   * @throws MachineAuthError `not_found`, `conflict` for a role of the options, `permission_required`
   */
  async delete(name: string, actor: Actor = SYSTEM): Promise<void> {
    requirePlatform(actor)
    this.#requireStorable(name)
    const { store, registry, clock, audit } = this.#options
    requireGrantable(actor, registry.permissionsOf([name]).names)
    const deleted = await this.#commit(name, () => store.delete(name, clock()))
    if (deleted === null) throw new MachineAuthError('not_found')
    const { permissions, inherits } = deleted
    await audit.record({ action: 'role.deleted', actor, subject: name, details: { before: { permissions, inherits } } })
  }

  async #commit<T>(name: string, write: () => Promise<T>): Promise<T> {
    const { reload, invalidate } = this.#options
    const written = write().then(async (result) => {
      await reload()
      return result
    })
    return afterwards(written, () => invalidate('role', name))
  }

  #requireStorable(name: string): void {
    const errors = new FieldErrors()
    if (!isName(name)) errors.add('name', "must be lower-case letters, digits, '_' and '-', with '.' between segments")
    errors.throwIfAny()
    if (!Object.hasOwn(this.#options.configured, name)) return
    throw new MachineAuthError('conflict', { detail: 'This role is defined in the configuration: change it there.' })
  }

  async #resolveInherits(name: string, given: readonly string[], errors: FieldErrors): Promise<readonly string[]> {
    if (given.length > MAX_INHERITS) errors.add('inherits', `must have at most ${MAX_INHERITS} entries`)
    const stored = await this.#options.store.list()
    const names = new Set(stored.map((role) => role.name))
    for (const [index, parent] of given.slice(0, MAX_INHERITS).entries()) {
      if (!names.has(parent) && !Object.hasOwn(this.#options.configured, parent)) {
        errors.add(`inherits.${index}`, 'names no role')
      } else if (inheritsFrom(parent, name, stored)) {
        errors.add(`inherits.${index}`, CIRCLE)
      }
    }
    return [...new Set(given)]
  }
}

function toView({ name, permissions, inherits }: RoleRecord, source: RoleView['source']): RoleView {
  return Object.freeze({ name, permissions, inherits, source })
}
