/** The master key, from `X-Admin-Key` or as a bearer token: who guesses it is made to wait. */
import { MASTER } from '../authentication/master-key.ts'
import { type MasterPrincipal, type Refusal, refusal } from '../authentication/principal.ts'
import { parseBearerToken } from '../credentials/secret-text.ts'
import type { ErrorCode } from '../errors.ts'
import type { Presented } from './presented.ts'

const WRONG = refusal('master_key_invalid')
const SEVERAL = refusal('request_malformed')

/** What a bearer token that is nobody's is refused for, and one of which nobody can say whose it is. */
const NOBODY: ReadonlySet<ErrorCode> = new Set([
  'token_invalid',
  'api_key_invalid',
  'locked_out',
  'storage_unavailable',
  'internal_error',
])

/** The refusal of its bearer token, if that may be a guess at the master key. By its form, a token of ours is none. */
function findGuess({ bearerText, authorization }: Presented): Refusal | null {
  if (bearerText === null || authorization?.kind !== 'refused' || !NOBODY.has(authorization.code)) return null
  return parseBearerToken(bearerText) === null ? authorization : null
}

/** Counts an attempt. Whose turn it is not waits, with a right key too: otherwise guessing would go on. */
function attempt(presented: Presented, refused: Refusal | null): MasterPrincipal {
  const isRight = refused === null
  const wait = presented.attemptMasterKey(isRight)
  if (wait > 0) throw presented.refuseLockedOut(isRight, wait)
  if (!isRight) throw presented.refuse(refused.code, refused.extras)
  return presented.prove(MASTER)
}

/**
 * The master key, where a bearer token may be something else.
 *
 * @param wrong what a bearer token that may be a guess is refused for, if not for what it is refused for elsewhere
 * @returns null when it presents neither the master key nor a guess at it
 * @throws MachineAuthError `master_key_invalid`, `locked_out`, `request_malformed`
 */
export function findMasterKey(presented: Presented, wrong?: Refusal): MasterPrincipal | null {
  const { adminKey } = presented
  if (adminKey !== null) {
    if (presented.isMasterKey(adminKey)) return attempt(presented, null)
    // Several headers arrive joined by commas.
    return attempt(presented, adminKey.includes(',') ? SEVERAL : WRONG)
  }
  if (presented.authorization?.kind === 'master') return attempt(presented, null)
  const guess = findGuess(presented)
  return guess === null ? null : attempt(presented, wrong ?? guess)
}

/**
 * The master key, where nothing else will do.
 *
 * @throws MachineAuthError `credential_missing`, `request_malformed`, `master_key_invalid`, `locked_out`
 */
export function requireMasterKey(presented: Presented): MasterPrincipal {
  const found = findMasterKey(presented, WRONG)
  if (found !== null) return found
  const kind = presented.authorizationKind
  if (kind === undefined) throw presented.refuse('credential_missing')
  throw presented.refuse(kind === 'ambiguous' ? 'request_malformed' : 'master_key_invalid')
}
