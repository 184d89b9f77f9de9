/** What `memory-storage.ts` does with changes, rotation and selections of keys. */
import { MachineAuthError } from '../../src/errors.ts'
import { keyStatus } from '../../src/storage/key-status.ts'
import type { KeyPatch, KeyRotation, KeySelection, Revocation } from '../../src/storage/ports/keys.ts'
import type { ApiKeyRecord, ChangeKind, QuotaRecord } from '../../src/storage/records.ts'

/** Whether a key is as somebody read it, apart from its use. */
function isAsKnown(known: ApiKeyRecord, { lastUsedAt, credits, creditsRefilledAt, ...now }: ApiKeyRecord): boolean {
  const { hash, pepper, lookup, expiryWarnedAt } = now
  const uses = { lastUsedAt, credits, creditsRefilledAt, hash, pepper, lookup, expiryWarnedAt }
  return Bun.deepEquals({ ...known, ...uses }, { ...now, ...uses })
}

/** @param creditVersions how many times each key's credits were set */
export function keyChangeVerbs(
  keys: Map<string, ApiKeyRecord>,
  quotas: Map<string, QuotaRecord>,
  creditVersions: Map<string, number>,
  changed: (kind: ChangeKind, subject: string, at: number) => void,
) {
  const unrevoked = () => [...keys.values()].filter(({ revokedAt }) => revokedAt === null)
  const selected = ({ organizationId, userId, createdBefore = Number.POSITIVE_INFINITY }: KeySelection) =>
    unrevoked().filter(
      (key) =>
        (organizationId === undefined || key.organizationId === organizationId) &&
        (userId === undefined || key.userId === userId) &&
        key.createdAt < createdBefore,
    )
  const revokedBy = ({ at, reason, by }: Revocation) => ({ revokedAt: at, revokedReason: reason, revokedBy: by })

  return {
    update(id: string, patch: KeyPatch, now: number, known?: ApiKeyRecord) {
      const key = keys.get(id)
      if (key === undefined || key.revokedAt !== null) return null
      const given: KeyPatch = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined))
      if (Object.keys(given).length === 0) return key
      if (known !== undefined && !isAsKnown(known, key)) throw new MachineAuthError('conflict')
      const successor = [...keys.values()].find(({ rotatedFrom }) => rotatedFrom === id)
      if (successor !== undefined && given.expiresAt !== undefined) {
        const later = (given.expiresAt ?? Number.POSITIVE_INFINITY) > (key.expiresAt ?? Number.POSITIVE_INFINITY)
        if (later) throw new MachineAuthError('conflict', { detail: `its successor is ${successor.id}` })
      }
      if ('credits' in given) creditVersions.set(id, (creditVersions.get(id) ?? 0) + 1)
      const updated = { ...key, ...given }
      keys.set(id, updated)
      changed('key', id, now)
      return updated
    },

    countSelected: (selection: KeySelection) => selected(selection).length,

    revokeSelected(selection: KeySelection, revocation: Revocation) {
      const found = selected(selection)
      for (const key of found) keys.set(key.id, { ...key, ...revokedBy(revocation) })
      if (found.length > 0) changed('key', '*', revocation.at)
      return found.map(({ id, organizationId }) => ({ id, organizationId }))
    },

    rotate(successor: ApiKeyRecord, rotation: KeyRotation) {
      const { at, oldExpiresAt, quota } = rotation
      const id = successor.rotatedFrom ?? ''
      const old = keys.get(id)
      if (old === undefined || keyStatus(old, at) !== 'active') return null
      if ([...keys.values()].some(({ rotatedFrom }) => rotatedFrom === id)) {
        throw new MachineAuthError('conflict', { errors: [{ path: 'id', message: 'is taken' }] })
      }
      if (!isAsKnown(rotation.old, old)) throw new MachineAuthError('conflict')
      const { credits, creditsRefilledAt } = oldExpiresAt === null ? old : successor
      const stored = { ...successor, credits, creditsRefilledAt }
      const expiresAt = Math.min(old.expiresAt ?? Number.POSITIVE_INFINITY, oldExpiresAt ?? 0)
      keys.set(
        id,
        oldExpiresAt === null ? { ...old, ...revokedBy(rotation) } : { ...old, expiresAt, expiryWarnedAt: at },
      )
      keys.set(stored.id, stored)
      const used = quotas.get(`${quota.from} ${quota.period}`)
      if (used !== undefined) quotas.set(`${quota.to} ${quota.period}`, { ...used, subject: quota.to })
      changed('key', id, at)
      return stored
    },

    findByIdStart: (start: string, limit: number) =>
      [...keys.values()]
        .filter(({ id }) => id.startsWith(start))
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .slice(0, limit),

    countByOrganization(organizationIds: readonly string[]): ReadonlyMap<string, number> {
      const counts = new Map<string, number>()
      for (const { organizationId: id } of unrevoked()) {
        if (id !== null && organizationIds.includes(id)) counts.set(id, (counts.get(id) ?? 0) + 1)
      }
      return counts
    },

    claimExpiryWarnings(now: number, until: number, limit: number) {
      const due = [...keys.values()]
        .filter((key) => keyStatus(key, now) === 'active' && key.expiryWarnedAt === null)
        .filter(({ expiresAt }) => expiresAt !== null && expiresAt <= until)
        .sort((a, b) => (a.expiresAt ?? 0) - (b.expiresAt ?? 0))
        .slice(0, limit)
        .map((key) => ({ ...key, expiryWarnedAt: now }))
      for (const key of due) keys.set(key.id, key)
      return due
    },
  }
}
