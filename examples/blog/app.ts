/** A blog with every kind of guard. `main.ts` serves it. */
import { Elysia, t } from 'elysia'
import { authorizedResource, createMachineAuth, MachineAuthError, machineAuth } from 'elysia-machine-auth'
import { type Post, Posts } from './posts.ts'
import { ensureUsers } from './users.ts'

const STAFF = ['admin', 'moderator'] as const

export async function createBlog(demoPassword = process.env.DEMO_PASSWORD) {
  const core = createMachineAuth({
    roles: { admin: ['*'], moderator: ['posts.view', 'posts.delete'], user: ['posts.view', 'posts.create'] },
    modules: {
      posts: { label: 'Posts' },
      users: { label: 'Users', crud: ['view', 'create'], actions: { profile: ['get'] } },
    },
  })
  await core.ready
  const { alice, bob } = await ensureUsers(core, demoPassword)
  const posts = new Posts([
    { id: '1', authorId: alice, title: 'Hello, machines', content: 'Keys open doors.', published: true },
    { id: '2', authorId: bob, title: 'Notes', content: 'Not ready yet.', published: false },
  ])
  const contacts = [{ id: '1', email: 'carol@example.com', name: 'Carol' }]

  const ownPost = authorizedResource('post', {
    load: ({ params }) => posts.find(params.id ?? ''),
    owner: (post) => post.authorId,
    roles: ['admin'],
  })

  function mayRead(post: Post, user: { id: string; roles: readonly string[] }): boolean {
    return post.published || post.authorId === user.id || STAFF.some((role) => user.roles.includes(role))
  }

  const app = new Elysia()
    .use(machineAuth(core))
    .use(ownPost)
    .get(
      '/posts',
      ({ optionalUser }) =>
        optionalUser === null
          ? posts.all().flatMap(({ id, title, published }) => (published ? [{ id, title }] : []))
          : posts.all().filter((post) => mayRead(post, optionalUser)),
      { optionalUser: true },
    )
    .get(
      '/posts/:id',
      ({ params, currentUser }) => {
        const post = posts.find(params.id)
        if (post === null || !mayRead(post, currentUser)) throw new MachineAuthError('not_found')
        return post
      },
      { currentUser: true },
    )
    .put('/posts/:id', ({ post, body }) => posts.update(post, body), {
      authorizedPost: true,
      body: t.Partial(t.Object({ title: t.String(), content: t.String(), published: t.Boolean() })),
    })
    .delete('/posts/:id', ({ post }) => ({ deleted: posts.delete(post.id) }), { authorizedPost: true })
    .delete(
      '/moderation/posts/:id',
      ({ params }) => {
        if (!posts.delete(params.id)) throw new MachineAuthError('not_found')
        return { deleted: true }
      },
      { requireRole: STAFF },
    )
    .get(
      '/admin/users',
      async () => {
        const { items } = await core.users.list()
        return items.map(({ id, email, roles }) => ({ id, email, roles }))
      },
      { requireRole: 'admin' },
    )
    .get('/api/data', ({ apiKey }) => ({ data: [1, 2, 3], key: apiKey.name }), { apiKey: true })
    .get('/api/users', () => contacts, { requireModule: 'users' })
    .post(
      '/api/users',
      ({ body, status }) => {
        const contact = { id: String(contacts.length + 1), ...body }
        contacts.push(contact)
        return status(201, contact)
      },
      { requireModule: 'users', body: t.Object({ email: t.String({ format: 'email' }), name: t.String() }) },
    )
    .get('/api/users/profile', ({ principal }) => ({ id: principal.id, kind: principal.kind }), {
      requireModule: { module: 'users', action: 'profile' },
    })
    .post(
      '/api/search',
      ({ body }) =>
        posts.all().flatMap(({ id, title, published }) => (published && title.includes(body.q) ? [{ id, title }] : [])),
      {
        public: true,
        rateLimit: { limit: 5, window: '1m', by: 'ip' },
        body: t.Object({ q: t.String({ default: '' }) }),
      },
    )
    .post(
      '/withdraw',
      async ({ auth, body }) => {
        if (body?.fraud !== true) return { withdrawn: true }
        await auth.block({ duration: '1 hour', scope: 'path', reason: 'fraud' })
        return { blocked: true }
      },
      { public: true, body: t.Optional(t.Object({ fraud: t.Optional(t.Boolean()) })) },
    )
    .ws('/ws/echo', {
      currentUser: true,
      message(ws, message) {
        ws.send(message)
      },
    })
  return { app, core }
}
