/** Whom an API key proves, in as few bytes as can be: there may be a hundred thousand of them. */
import type { PermissionSet } from '../authorization/permission-set.ts'
import { type CommonColumns, type OwnColumns, toViewed } from './key-columns.ts'
import type { ApiKeyPrincipal, KeyUse, User } from './principal.ts'
import { type ApiKeyView, toApiKeyView } from './views.ts'

/** Views that are kept at once: of keys that are in use all the time none is made twice. */
const VIEWS = 4096

const VIEW = {
  enumerable: true,
  get(this: { readonly view: ApiKeyView }) {
    return this.view
  },
} as const

export interface ProvenKeyParts extends Omit<ApiKeyPrincipal, 'kind' | 'apiKey' | 'counted'> {
  readonly own: OwnColumns
  readonly common: CommonColumns
  /** ms; what the view shows is as of then. */
  readonly verifiedAt: number
}

/** Makes the principals of keys. @param keyPrefix the first part of new keys */
export function createProvenKeys(keyPrefix: string): (parts: ProvenKeyParts) => ApiKeyPrincipal {
  const viewed: (ProvenKey | undefined)[] = new Array(VIEWS)
  let next = 0

  class ProvenKey implements ApiKeyPrincipal {
    readonly kind = 'apiKey'
    readonly id: string
    readonly organizationId: string | null
    readonly user: User | null
    readonly granted: PermissionSet
    readonly allowsAddress: ((address: string) => boolean) | null
    readonly expiryWarning: string | null
    readonly use: KeyUse
    declare readonly apiKey: ApiKeyView
    // In place: an object of their own would take more than they do.
    readonly #name: string
    readonly #expiresAt: number | null
    readonly #lastUsedAt: number | null
    readonly #createdAt: number
    readonly #common: CommonColumns
    readonly #verifiedAt: number
    #view: ApiKeyView | null = null
    #counted: object | undefined

    constructor(parts: ProvenKeyParts) {
      this.id = parts.id
      this.organizationId = parts.organizationId
      this.user = parts.user
      this.granted = parts.granted
      this.allowsAddress = parts.allowsAddress
      this.expiryWarning = parts.expiryWarning
      this.use = parts.use
      this.#name = parts.own.name
      this.#expiresAt = parts.own.expiresAt
      this.#lastUsedAt = parts.own.lastUsedAt
      this.#createdAt = parts.own.createdAt
      this.#common = parts.common
      this.#verifiedAt = parts.verifiedAt
      // A member of its own: a getter of the class would be missing in every copy, and with it what the key is bound to.
      Object.defineProperty(this, 'apiKey', VIEW)
    }

    get view(): ApiKeyView {
      return this.#view ?? this.#makeView()
    }

    get counted(): object | undefined {
      return this.#counted
    }

    set counted(held: object | undefined) {
      this.#counted = held
    }

    #makeView(): ApiKeyView {
      const owner = { id: this.id, organizationId: this.organizationId, userId: this.user?.id ?? null }
      const own = {
        name: this.#name,
        expiresAt: this.#expiresAt,
        lastUsedAt: this.#lastUsedAt,
        createdAt: this.#createdAt,
      }
      const view = toApiKeyView(toViewed(owner, own, this.#common, keyPrefix), this.#verifiedAt)
      const forgotten = viewed[next]
      if (forgotten !== undefined) forgotten.#view = null
      viewed[next] = this
      next = (next + 1) % VIEWS
      this.#view = view
      return view
    }
  }
  // Elysia answers JSON for what it takes for a plain object alone.
  Object.defineProperty(ProvenKey.prototype, 'constructor', { value: Object })

  return (parts) => new ProvenKey(parts)
}
