/** What each mode keeps to itself. */
import type { ResolvedOptions } from '../../options/resolved.ts'
import { createSecretNames, type IsSecretName } from './secret-names.ts'

/** Below our prefix: endpoints that take or hand out credentials. */
const OF_CREDENTIALS = ['login', 'refresh', 'logout', 'sessions', 'token', 'keys', 'users'] as const

/**
 * Which names are secret in a request; null for `unsafeRaw`, where none is.
 *
 * @param path of the request
 */
export type Secrecy = (path: string) => IsSecretName | null

export function createSecrecy({
  logging: { mode, redact, unsafeRaw },
  apiKeys,
  sessions,
  prefix,
}: Pick<ResolvedOptions, 'logging' | 'apiKeys' | 'sessions' | 'prefix'>): Secrecy {
  if (mode === 'raw' && unsafeRaw) return () => null
  const names = createSecretNames([...apiKeys.headers, sessions.cookie], redact)
  const own = OF_CREDENTIALS.map((endpoint) => `${prefix}/${endpoint}`)
  // Credentials are the same names in both; `redacted` has personal ones besides.
  const others = mode === 'raw' ? names.credentials : names.secrets
  // Anywhere in the path: an app may serve us below a prefix of its own.
  return (path) => (own.some((endpoint) => path.includes(endpoint)) ? names.own : others)
}
