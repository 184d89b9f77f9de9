/**
 * `Idempotency-Key`: a create that is sent again makes nothing anew.
 *
 * @see draft-ietf-httpapi-idempotency-key-header-07
 */
import { type ElysiaCustomStatusResponse, status, t } from 'elysia'
import type { Principal } from '../authentication/principal.ts'
import { reachOf } from '../authorization/actor.ts'
import { MachineAuthError } from '../errors.ts'
import { presentedBy } from '../guards/state.ts'
import type { Clock } from '../lib/clock.ts'
import { invalidField } from '../lib/field-errors.ts'
import type { IdempotencyStore } from '../storage/ports/idempotency.ts'
import { createFingerprints, type Fingerprints } from './idempotency-fingerprint.ts'

const HEADER = 'Idempotency-Key'
/** ms during which a repeated create gets the answer of the first. */
const LIFETIME = 86_400_000
/** Several headers arrive joined by commas, so that none may be in one. */
const ACCEPTED = /^(?!.*,)[\x21-\x7e]{1,255}$/

/** The member of an answer that is told once, and never stored. */
const SECRET = 'rawKey'

type WithoutSecret<Answer> = Omit<Answer, typeof SECRET>

/** The headers of an endpoint that takes the key: for the documentation, since `idempotent` checks it itself. */
export const IdempotencyHeader = t.Object({
  'idempotency-key': t.Optional(
    t.String({
      description:
        '1 to 255 visible ASCII characters of your choice, without commas. For 24 hours the same request with the ' +
        'same key makes nothing anew: it gets the first answer, without secrets, and `Idempotency-Replayed: true`.',
      examples: ['0f8e1c52-6a0b-4a35-9e5e-3a2f0c9b7d11'],
    }),
  ),
})

/** What of a handler's context tells one create from another. */
export interface IdempotentCall {
  readonly request: Request
  /** The pattern of the endpoint's path. */
  readonly route: string
  readonly params?: Readonly<Record<string, string>>
  readonly body: unknown
  readonly actor: Principal
  readonly set: { readonly headers: Record<string, string | number | undefined> }
}

/**
 * Runs `create`, or answers what it answered before to the same `Idempotency-Key`; just runs it without one.
 *
 * @param call the context of the handler
 * @returns 201 with what `create` answers, or with what it answered before without its secret
 * @throws MachineAuthError `validation_failed` for a wrong header, or one used with another body; `conflict` while the
 * first is in flight, or when nobody knows what became of it
 */
export type Idempotent = <Answer extends object>(
  call: IdempotentCall,
  create: () => Promise<Answer>,
) => Promise<Created<Answer | WithoutSecret<Answer>>>

type Created<Answer> = ElysiaCustomStatusResponse<201, Answer>

export interface IdempotencyOptions {
  readonly store: IdempotencyStore
  readonly clock: Clock
  /** Root secrets, newest first. */
  readonly secrets: readonly string[]
  readonly warn: (message: string) => void
}

/**
 * By kind, since users and clients may be called alike; by reach, so that who lost some is not shown what he made with
 * it. A token that the app gives no name is told apart by its text.
 */
function principalOf(actor: Principal, request: Request, fingerprints: Fingerprints): string {
  const { kind, id, user, organizationId } = actor
  const who = user === null || kind === 'apiKey' ? kind : 'user'
  const isNamed = kind !== 'bearer' || user !== null || actor.bearerToken.id !== null
  const name = isNamed ? id : fingerprints.of([presentedBy(request).bearerText])
  return JSON.stringify([who, name, organizationId, reachOf(actor).kind])
}

function withoutSecret(answer: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(answer).filter(([name]) => name !== SECRET))
}

/** Whether it is certain that nothing was made: refusals come before anything is written. */
function isRefusal(error: unknown): boolean {
  return error instanceof MachineAuthError && error.status < 500
}

function inFlight(): MachineAuthError {
  return new MachineAuthError('conflict', {
    detail:
      `A request with this ${HEADER} is not finished: repeat it in a moment. If it stays so, the outcome is not ` +
      'known: look whether it was made, and use a new key if it was not.',
    retryAfter: 1,
    retryable: true,
  })
}

/** Makes the one function that endpoints call. */
export function createIdempotency({ store, clock, secrets, warn }: IdempotencyOptions): Idempotent {
  const fingerprints = createFingerprints(secrets)

  async function answer<Answer extends object>(
    { request, route, params = {}, body, actor, set }: IdempotentCall,
    create: () => Promise<Answer>,
  ): Promise<Answer | WithoutSecret<Answer>> {
    const key = request.headers.get(HEADER)
    if (key === null) return create()
    if (!ACCEPTED.test(key)) {
      throw invalidField(HEADER, 'must be sent once, as 1 to 255 visible ASCII characters without commas')
    }

    const principal = principalOf(actor, request, fingerprints)
    const endpoint = [request.method, route, ...Object.values(params)].join(' ')
    const parts = [principal, endpoint, body]
    const name = { principal, endpoint, key }
    const now = clock()
    const claim = { fingerprint: fingerprints.of(parts), createdAt: now, expiresAt: now + LIFETIME }
    const standing = await store.claim({ ...name, ...claim, answer: null })

    if (standing !== null) {
      if (!fingerprints.matches(standing.fingerprint, parts)) {
        throw invalidField(HEADER, 'was used before with another body')
      }
      if (standing.answer === null) throw inFlight()
      set.headers['idempotency-replayed'] = 'true'
      // It is what `create` answered to the same request at the same endpoint.
      return standing.answer as WithoutSecret<Answer>
    }

    const made = await create().catch(async (error: unknown) => {
      // Else the claim stays: a retry must not make a second one.
      if (isRefusal(error)) await store.release(name).catch(() => undefined)
      throw error
    })
    // It was made, so it is answered, whether or not it can be told again.
    await store
      .complete(name, withoutSecret(made))
      .catch(() => warn(`what was made could not be noted for its ${HEADER}: a retry gets 409 for 24 hours`))
    return made
  }

  return async (call, create) => status(201, await answer(call, create))
}
