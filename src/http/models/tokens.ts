/** What the endpoints of login and tokens take and answer. */
import { Type } from '@sinclair/typebox'
import { t } from 'elysia'
import { password, permissions, strict } from './shared.ts'

export const Login = strict(
  {
    email: t.String({
      minLength: 1,
      maxLength: 320,
      description: 'E-mail of the user.',
      examples: ['alice@example.com'],
    }),
    password: password('His password, exactly as it was set.'),
  },
  { examples: [{ email: 'alice@example.com', password: 'correct horse battery staple' }] },
)

/** Of any length: whatever is not one of ours gets the same 401. */
export const RefreshBody = strict(
  {
    refresh_token: t.String({
      description: 'The refresh token of the pair, as it was answered.',
      examples: ['The refresh token of your pair'],
    }),
  },
  { examples: [{ refresh_token: 'The refresh token of your pair' }] },
)

export const NewClientToken = t.Nullable(
  strict(
    {
      client_id: t.Optional(
        t.String({
          minLength: 1,
          maxLength: 128,
          description: 'Name of the client: letters, digits and `._~:@/+-`; a random one unless given.',
          examples: ['billing'],
        }),
      ),
      permissions: t.Optional(permissions('What its tokens may do; nothing unless given.')),
    },
    { examples: [{ client_id: 'billing', permissions: [] }] },
  ),
)

export const TokenResponse = t.Object(
  {
    access_token: t.String({ description: 'A JWT for `Authorization: Bearer …`.', examples: ['eyJ…'] }),
    refresh_token: t.String({ description: 'For the next pair, once.', examples: ['mar_…'] }),
    token_type: t.Literal('Bearer', { description: 'How to present the access token.' }),
    expires_in: Type.Integer({ description: 'How long the access token is valid, in seconds.', examples: [900] }),
    client_id: t.Optional(t.String({ description: 'Of a client’s pair only.', examples: ['billing'] })),
  },
  { description: 'RFC 6749 section 5.1.' },
)
