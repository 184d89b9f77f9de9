/** An owned resource reaches the handler under its name, with exactly the type that `load` answers. */
import { Elysia } from 'elysia'
import type { User } from '../../src/authentication/principal.ts'
import { authorizedResource } from '../../src/guards/authorized-resource.ts'
import { createGuards } from '../../src/guards/plugin.ts'
import { same } from './support.ts'

interface Post {
  readonly id: string
  readonly author: string
  readonly tags: readonly string[]
}
declare function findPost(id: string): Promise<Post | null>
declare function findPage(id: string): { id: number; owner: string } | undefined

const plugin = createGuards<{ readonly nickname: string }, 'admin'>('types')
const posts = authorizedResource('post', {
  load: ({ params, request, user }) => {
    same<typeof request, Request>(true)
    same<typeof user, User>(true)
    same<typeof params, Readonly<Record<string, string>>>(true)
    return findPost(params.id ?? '')
  },
  owner: (post) => {
    same<typeof post, Post>(true)
    return post.author
  },
  roles: ['admin'],
})
const pages = authorizedResource('staticPage', {
  load: ({ params }) => findPage(params.id ?? ''),
  owner: (page) => {
    same<typeof page, { id: number; owner: string }>(true)
    return [page.owner]
  },
  permission: 'pages.all',
  concealExistence: true,
})

const app = new Elysia().use(plugin).use(posts).use(pages)

app
  .put(
    '/posts/:id',
    ({ post }) => {
      same<typeof post, Post>(true)
      // @ts-expect-error: so it is not any
      post.nothing
      return post.tags
    },
    { authorizedPost: true },
  )
  .get('/pages/:id', ({ staticPage }) => same<typeof staticPage, { id: number; owner: string }>(true), {
    authorizedStaticPage: true,
  })
  .get(
    '/both/:id',
    ({ post, staticPage, currentUser }) => {
      same<typeof post, Post>(true)
      same<typeof staticPage, { id: number; owner: string }>(true)
      same<typeof currentUser.id, string>(true)
    },
    { authorizedPost: true, authorizedStaticPage: true },
  )
  .group('/group/:id', { authorizedPost: true }, (inner) => inner.get('', ({ post }) => same<typeof post, Post>(true)))
  .ws('/ws/:id', {
    authorizedPost: true,
    message(ws) {
      same<typeof ws.data.post, Post>(true)
    },
  })
  // @ts-expect-error: no guard
  .get('/none', ({ post }) => String(post))
  // @ts-expect-error: false
  .get('/off', () => '', { authorizedPost: false })
  // @ts-expect-error: another resource
  .get('/other/:id', ({ post }) => String(post), { authorizedStaticPage: true })
  // @ts-expect-error: no such resource
  .get('/unknown', () => '', { authorizedComment: true })

// @ts-expect-error: load is needed
authorizedResource('post', { owner: () => null })
// @ts-expect-error: owner is needed
authorizedResource('post', { load: () => null })
// @ts-expect-error: an owner is a user's id
authorizedResource('post', { load: () => ({ by: 1 }), owner: (post) => post.by })
// @ts-expect-error: what load answers has no such member
authorizedResource('post', { load: () => ({ by: '1' }), owner: (post) => post.author })

app.get('/auth', async ({ auth }) => {
  const post = await auth.authorizedResource(await findPost('1'), { owner: (found) => found.author, roles: ['admin'] })
  same<typeof post, Post>(true)
  const page = await auth.authorizedResource(findPage('1'), { owner: (found) => found.owner })
  same<typeof page, { id: number; owner: string }>(true)
})
