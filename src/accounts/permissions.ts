/** The registry of permissions: what code declares, searched, and kept in the database for others to read. */
import { type Actor, requirePlatform, SYSTEM } from '../authorization/actor.ts'
import { changesOf, type PermissionChanges } from '../authorization/permission-changes.ts'
import type { PermissionEntry, PermissionRegistry } from '../authorization/registry.ts'
import type { Clock } from '../lib/clock.ts'
import type { AuditLog } from '../recording/audit/audit.ts'
import type { PermissionStore } from '../storage/ports/permissions.ts'

export interface PermissionFilter {
  /** The whole name of a module. */
  readonly module?: string | undefined
  /** A literal, case-insensitive part of name or label. */
  readonly q?: string | undefined
}

export interface PermissionSync extends PermissionChanges {
  readonly dryRun: boolean
}

export interface PermissionServiceOptions {
  readonly registry: PermissionRegistry
  readonly store: PermissionStore
  readonly clock: Clock
  readonly audit: Pick<AuditLog, 'record'>
}

export class PermissionService {
  readonly #options: PermissionServiceOptions

  constructor(options: PermissionServiceOptions) {
    this.#options = options
  }

  /** Whether a name is declared, or a wildcard covers at least one declared name. */
  has(name: string): boolean {
    return this.#options.registry.has(name)
  }

  /**
   * Declared permissions by name.
   *
   * @example core.permissions.list({ module: 'users' }) // [{ name: 'users.create', label: 'Users: create', … }, …]
   */
  list({ module, q }: PermissionFilter = {}): readonly PermissionEntry[] {
    const part = q?.toLowerCase()
    return this.#options.registry
      .list()
      .filter((each) => module === undefined || each.module === module)
      .filter(
        ({ name, label }) => part === undefined || [name, label].some((text) => text.toLowerCase().includes(part)),
      )
  }

  /**
   * Brings the table of permissions to what code declares. Nothing is decided by that table: it tells others, and the
   * next run of this, what was declared.
   *
   * @throws MachineAuthError `permission_required` without platform reach
   * @example const { created, removed } = await core.permissions.sync({ dryRun: true })
   */
  async sync(
    { dryRun = false }: { readonly dryRun?: boolean | undefined } = {},
    actor: Actor = SYSTEM,
  ): Promise<PermissionSync> {
    requirePlatform(actor)
    const { registry, store, clock, audit } = this.#options
    const declared = registry.list()
    const changes = changesOf(declared, await store.list())
    const { created, changed, removed } = changes
    if (dryRun || created.length + changed.length + removed.length === 0) return { ...changes, dryRun }
    const written = new Set([...created, ...changed].map(({ name }) => name))
    const now = clock()
    await store.sync(
      declared
        .filter(({ name }) => written.has(name))
        .map(({ name, module, label }) => ({ name, module, label, createdAt: now })),
      removed.map(({ name }) => name),
    )
    const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name)
    await audit.record({
      action: 'permissions.synced',
      actor,
      subject: 'permissions',
      details: { created: names(created), changed: names(changed), removed: names(removed) },
    })
    return { ...changes, dryRun }
  }
}
