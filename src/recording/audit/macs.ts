/** The HMAC of each event and mark: who changes a row without the secret cannot make the one that belongs to it. */
import { createKeyring, type DerivedKey, type Keyring } from '../../lib/keyring.ts'
import type { AuditMarkRecord, AuditRecord } from '../../storage/records.ts'
import { canonicalDetails } from './details.ts'

/** `unknown`: made under a secret that is not given here, so nothing can be said of it. */
export type MacCheck = 'right' | 'wrong' | 'unknown'

/** What a mark may stand for: a first head also tells that events without a MAC are still being taken over. */
export type MarkKind = AuditMarkRecord['name'] | 'first-head'

interface Mac {
  readonly mac: string
  readonly macKey: string
}

const VERSION = 'machine-auth/audit/v1'

function contentOfEvent(event: AuditRecord): string {
  const { id, at, action, actor, subject, organizationId, address, requestId, details, sequence } = event
  const members = [id, at, action, actor, subject, organizationId, address, requestId, canonicalDetails(details)]
  return JSON.stringify([VERSION, 'event', ...members, sequence])
}

function contentOfMark(kind: MarkKind, { sequence, at }: Pick<AuditMarkRecord, 'sequence' | 'at'>): string {
  return JSON.stringify([VERSION, kind, sequence, at])
}

function hmac({ key }: DerivedKey, content: string): string {
  return new Bun.CryptoHasher('sha256', key).update(content).digest('base64url')
}

export class AuditMacs {
  readonly #keys: Keyring

  /** @param secrets newest first, at least one */
  constructor(secrets: readonly string[]) {
    this.#keys = createKeyring(secrets, 'audit-log')
  }

  /** Of an event as it stands, its place included. */
  ofEvent(event: AuditRecord): Mac {
    return this.#make(contentOfEvent(event))
  }

  ofMark(kind: MarkKind, mark: Pick<AuditMarkRecord, 'sequence' | 'at'>): Mac {
    return this.#make(contentOfMark(kind, mark))
  }

  checkEvent(event: AuditRecord): MacCheck {
    return this.#check(event, () => contentOfEvent(event))
  }

  checkMark(kind: MarkKind, mark: AuditMarkRecord): MacCheck {
    return this.#check(mark, () => contentOfMark(kind, mark))
  }

  /** Whether it was made under the newest secret. */
  isCurrent({ macKey }: Pick<AuditMarkRecord, 'macKey'>): boolean {
    return macKey === this.#keys.current.fingerprint
  }

  #make(content: string): Mac {
    const { current } = this.#keys
    return { mac: hmac(current, content), macKey: current.fingerprint }
  }

  #check({ mac, macKey }: { readonly mac: string | null; readonly macKey: string | null }, content: () => string) {
    if (mac === null || macKey === null) return 'wrong'
    const key = this.#keys.find(macKey)
    if (key === undefined) return 'unknown'
    return hmac(key, content()) === mac ? 'right' : 'wrong'
  }
}
