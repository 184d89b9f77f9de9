/** What the endpoints of login and tokens take and answer. */
import { t } from 'elysia'
import { Password, Permissions, strict } from './shared.ts'

export const Login = strict(
  {
    email: t.String({ minLength: 1, maxLength: 320 }),
    password: Password,
  },
  { examples: [{ email: 'alice@example.com', password: 'correct horse battery staple' }] },
)

/** Of any length: whatever is not one of ours gets the same 401. */
export const RefreshBody = strict(
  { refresh_token: t.String() },
  { examples: [{ refresh_token: 'The refresh token of your pair' }] },
)

export const NewClientToken = t.Nullable(
  strict(
    { client_id: t.Optional(t.String({ minLength: 1, maxLength: 128 })), permissions: t.Optional(Permissions) },
    { examples: [{ client_id: 'billing', permissions: [] }] },
  ),
)

export const TokenResponse = t.Object(
  {
    access_token: t.String(),
    refresh_token: t.String(),
    token_type: t.Literal('Bearer'),
    expires_in: t.Integer({ description: 'Seconds.' }),
    client_id: t.Optional(t.String()),
  },
  { description: 'RFC 6749 section 5.1.' },
)
