/** What `memory-storage.ts` does with idempotency keys. */
import type { IdempotencyKey } from '../../src/storage/ports/idempotency.ts'
import type { IdempotencyRecord } from '../../src/storage/records.ts'

export function idempotencyVerbs(claims: Map<string, IdempotencyRecord>) {
  const nameOf = ({ principal, endpoint, key }: IdempotencyKey) => JSON.stringify([principal, endpoint, key])
  const inFlight = (key: IdempotencyKey) => {
    const claim = claims.get(nameOf(key))
    return claim?.answer === null ? claim : undefined
  }
  return {
    claim(claim: IdempotencyRecord) {
      const standing = claims.get(nameOf(claim))
      if (standing !== undefined && standing.expiresAt > claim.createdAt) return standing
      claims.set(nameOf(claim), claim)
      return null
    },
    complete(key: IdempotencyKey, answer: NonNullable<IdempotencyRecord['answer']>) {
      const claim = inFlight(key)
      if (claim !== undefined) claims.set(nameOf(key), { ...claim, answer })
    },
    release(key: IdempotencyKey) {
      if (inFlight(key) !== undefined) claims.delete(nameOf(key))
    },
    purge(before: number) {
      const gone = [...claims].filter(([, { expiresAt }]) => expiresAt < before)
      for (const [name] of gone) claims.delete(name)
      return gone.length
    },
  }
}
