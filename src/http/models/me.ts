/** What `/me` answers. */
import { t } from 'elysia'
import { KeyView } from './keys.ts'

export const Me = t.Object({
  principal: t.Object({
    kind: t.String({ examples: ['apiKey'] }),
    id: t.String(),
    organizationId: t.Nullable(t.String()),
  }),
  user: t.Optional(
    t.Object({
      id: t.String(),
      email: t.String(),
      roles: t.Array(t.String()),
      permissions: t.Array(t.String()),
      organizationId: t.Nullable(t.String()),
    }),
  ),
  apiKey: t.Optional(KeyView),
  permissions: t.Array(t.String()),
})
