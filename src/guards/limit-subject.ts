/** Whom a limit counts a request for. */
import type { Principal } from '../authentication/principal.ts'
import { addressSubject, subjectOf } from '../limits/subjects.ts'
import type { LimitContext, LimitSubject } from '../options/limit-types.ts'
import type { Presented } from './presented.ts'

type Finder = (presented: Presented) => string | null

/** Null where the request has none: then it is counted by its address. */
const FINDERS: Readonly<Record<Extract<LimitSubject, string>, Finder>> = {
  ip: () => null,
  apiKey: ({ speakingKey }) => (speakingKey === null ? null : subjectOf('apiKey', speakingKey.id)),
  user({ speaker }) {
    const id = speaker?.user?.id ?? null
    return id === null ? null : subjectOf('user', id)
  },
  organization({ speaker, speakingKey }) {
    const id = speaker?.organizationId ?? speakingKey?.organizationId ?? null
    return id === null ? null : subjectOf('organization', id)
  },
}

/** All that a block of any of them keeps out. */
export function principalSubjects(principal: Principal): readonly string[] {
  const { kind, id, user, organizationId } = principal
  return [
    ...(kind === 'apiKey' ? [subjectOf('apiKey', id)] : []),
    ...(user === null ? [] : [subjectOf('user', user.id)]),
    ...(organizationId === null ? [] : [subjectOf('organization', organizationId)]),
  ]
}

/**
 * Names the subject of a limit.
 *
 * @param name of the limit: two functions that answer the same text mean two subjects
 * @throws TypeError when an app's function answers no text: a request that counts for nobody would have no limit
 */
export function limitSubject(by: LimitSubject, name: string, presented: Presented, context: LimitContext): string {
  if (typeof by === 'string') return FINDERS[by](presented) ?? addressSubject(presented.address)
  const answer: unknown = by(context)
  if (typeof answer !== 'string') throw new TypeError(`rateLimit.by of the limit '${name}' must answer text`)
  return subjectOf('custom', `${name}:${answer}`)
}
