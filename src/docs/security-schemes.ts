/** How credentials are sent, as OpenAPI's security schemes. */
import { MASTER_KEY_HEADER } from '../authentication/master-key.ts'
import type { SchemeName } from './combinations.ts'
import type { JsonObject } from './openapi.ts'

export interface SecuritySettings {
  /** The headers that may hold an API key; the first is the one to show. */
  readonly keyHeaders: readonly string[]
  /** The schemes of `Authorization` that may hold an API key, in lower case. */
  readonly schemes: readonly string[]
  readonly cookieName: string
  readonly masterKeyEnabled: boolean
  /** Whether answers say that a key expires soon. */
  readonly tellsKeyExpiry?: boolean
}

/** `x-api-key` as people write it. */
function headerText(name: string): string {
  return name
    .split('-')
    .map((word) => (word === 'api' ? 'API' : word.charAt(0).toUpperCase() + word.slice(1)))
    .join('-')
}

function bearerText(schemes: readonly string[]): string {
  return schemes.includes('bearer') ? 'An access token, another bearer token or an API key.' : 'A bearer token.'
}

function keyText(tellsExpiry: boolean): string {
  return tellsExpiry ? 'An API key. Answers to one that expires soon say when in `X-API-Key-Expires`.' : 'An API key.'
}

export function securitySchemesOf(settings: SecuritySettings): Partial<Record<SchemeName, JsonObject>> {
  const [keyHeader] = settings.keyHeaders
  return {
    bearer: { type: 'http', scheme: 'bearer', description: bearerText(settings.schemes) },
    ...(keyHeader === undefined
      ? {}
      : {
          apiKey: {
            type: 'apiKey',
            in: 'header',
            name: headerText(keyHeader),
            description: keyText(settings.tellsKeyExpiry ?? false),
          },
        }),
    session: {
      type: 'apiKey',
      in: 'cookie',
      name: settings.cookieName,
      description: 'A session. Browsers send it by themselves after logging in.',
    },
    ...(settings.masterKeyEnabled
      ? {
          masterKey: {
            type: 'apiKey',
            in: 'header',
            name: headerText(MASTER_KEY_HEADER),
            description: 'The master key. Also taken as a bearer token.',
          },
        }
      : {}),
  }
}
