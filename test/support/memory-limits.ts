/** What `memory-storage.ts` does with credits, blocks, quotas and login addresses. */
import type { PageRequest } from '../../src/storage/ports/page.ts'
import type { QuotaClaim } from '../../src/storage/ports/quotas.ts'
import type {
  ApiKeyRecord,
  BlockRecord,
  ChangeKind,
  LoginAddressRecord,
  QuotaRecord,
} from '../../src/storage/records.ts'
import { pageOf } from './memory-page.ts'

/** Deletes the rows that match; answers how many. */
function deleteWhere<T>(rows: Map<string, T>, matches: (row: T) => boolean): number {
  const gone = [...rows].filter(([, row]) => matches(row))
  for (const [id] of gone) rows.delete(id)
  return gone.length
}

/** The key as a refill that is due at `now` leaves it. */
function refilled(key: ApiKeyRecord, now: number): ApiKeyRecord {
  const { credits, creditsRefillAmount: amount, creditsRefillEvery: every, creditsRefilledAt: since } = key
  if (credits === null || amount === null || every === null || since === null || every <= 0) return key
  const periods = Math.floor((now - since) / every)
  return periods < 1 ? key : { ...key, credits: Math.max(credits, amount), creditsRefilledAt: since + periods * every }
}

/** @param versions how many times each key's credits were set */
export function creditVerbs(keys: Map<string, ApiKeyRecord>, versions: ReadonlyMap<string, number>) {
  return {
    claimCredits(id: string, amount: number, now: number) {
      const found = keys.get(id)
      const key = found === undefined ? undefined : refilled(found, now)
      if (key === undefined || key.credits === null || key.credits < amount) return null
      const left = key.credits - amount
      keys.set(id, { ...key, credits: left })
      return { left, version: versions.get(id) ?? 0 }
    },
    giveBackCredits(id: string, amount: number, version: number) {
      if ((versions.get(id) ?? 0) !== version) return
      const key = keys.get(id)
      if (key !== undefined && key.credits !== null) keys.set(id, { ...key, credits: key.credits + amount })
    },
  }
}

/** The row that stands when `block` meets `standing`. */
function merge(standing: BlockRecord, block: BlockRecord): BlockRecord {
  if (standing.expiresAt <= block.createdAt) return block
  if (standing.expiresAt >= block.expiresAt) return standing
  return { ...block, id: standing.id, createdAt: standing.createdAt }
}

export function blockVerbs(
  blocks: Map<string, BlockRecord>,
  changed: (kind: ChangeKind, subject: string, at: number) => void,
  clock: () => number,
) {
  const active = (now: number) => [...blocks.values()].filter(({ expiresAt }) => expiresAt > now)
  return {
    put(block: BlockRecord) {
      const { subject, scope, path } = block
      const standing = [...blocks.values()].find(
        (each) => each.subject === subject && each.scope === scope && each.path === path,
      )
      const result = standing === undefined ? block : merge(standing, block)
      if (standing !== undefined) blocks.delete(standing.id)
      blocks.set(result.id, result)
      changed('block', result.id, block.createdAt)
      return result
    },
    find: (id: string) => blocks.get(id) ?? null,
    delete(id: string) {
      const block = blocks.get(id)
      if (block === undefined) return null
      blocks.delete(id)
      changed('block', id, clock())
      return block
    },
    listActive: (now: number) => active(now),
    list: (page: PageRequest, now: number) => pageOf(active(now), page, ({ createdAt }) => createdAt),
    purge: (before: number) => deleteWhere(blocks, ({ expiresAt }) => expiresAt < before),
  }
}

export function quotaVerbs(quotas: Map<string, QuotaRecord>) {
  const nameOf = (subject: string, period: string) => `${subject} ${period}`
  const usedOf = (subject: string, period: string) => quotas.get(nameOf(subject, period))?.used ?? 0
  return {
    claim({ subject, period, amount, limit }: QuotaClaim) {
      const used = usedOf(subject, period) + amount
      if (used > limit) return null
      quotas.set(nameOf(subject, period), { subject, period, used })
      return used
    },
    giveBack(subject: string, period: string, amount: number) {
      const used = Math.max(0, usedOf(subject, period) - amount)
      if (quotas.has(nameOf(subject, period))) quotas.set(nameOf(subject, period), { subject, period, used })
    },
    used: (subject: string, period: string) => usedOf(subject, period),
    purge: (beforePeriod: string) => deleteWhere(quotas, ({ period }) => period < beforePeriod),
  }
}

export function loginAddressVerbs(addresses: Map<string, LoginAddressRecord>) {
  const nameOf = (account: string, address: string) => `${account} ${address}`
  return {
    remember(account: string, address: string, at: number, keep: number) {
      const known = addresses.get(nameOf(account, address))?.lastAt ?? at
      addresses.set(nameOf(account, address), { account, address, lastAt: Math.max(known, at) })
      const own = [...addresses.values()].filter((each) => each.account === account)
      own.sort((a, b) => b.lastAt - a.lastAt || (a.address < b.address ? 1 : -1))
      for (const { address: old } of own.slice(keep)) addresses.delete(nameOf(account, old))
    },
    knows: (account: string, address: string) => addresses.has(nameOf(account, address)),
    purge: (before: number) => deleteWhere(addresses, ({ lastAt }) => lastAt < before),
  }
}
