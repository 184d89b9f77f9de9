/** What `/me` answers. */
import { t } from 'elysia'
import { KeyView } from './key-views.ts'

const organizationId = t.Nullable(t.String({ description: 'Organization it belongs to; null for none.' }))

export const Me = t.Object(
  {
    principal: t.Object(
      {
        kind: t.String({ description: 'By what the request was let in.', examples: ['apiKey'] }),
        id: t.String({ description: 'Id of the key, user or client.', examples: ['key_4dTyWz8Qm1nBvK3c'] }),
        organizationId,
      },
      { description: 'What acts.' },
    ),
    user: t.Optional(
      t.Object(
        {
          id: t.String({ description: 'Id of the user.', examples: ['user_4dTyWz8Qm1nBvK3c'] }),
          email: t.String({ description: 'His e-mail.', examples: ['alice@example.com'] }),
          roles: t.Array(t.String(), { description: 'Names of his roles.', examples: [['admin']] }),
          permissions: t.Array(t.String(), {
            description: 'What his roles grant: names and wildcards.',
            examples: [['users.*']],
          }),
          organizationId,
        },
        { description: 'The user behind the credential, if there is one.' },
      ),
    ),
    apiKey: t.Optional(KeyView),
    permissions: t.Array(t.String(), {
      description: 'What this request may do: a key never more than its user.',
      examples: [['users.view']],
    }),
  },
  { description: 'Who the request is taken for.' },
)
