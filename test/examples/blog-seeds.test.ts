import { afterAll, expect, test } from 'bun:test'
import { createDatabaseDirectory, removeDirectory } from '../support/directories.ts'
import { bearer, findPrinted, login, request, START_TIMEOUT, startExample } from './support.ts'

const BLOG = 'examples/blog/main.ts'
const PRINTED = /Log in as alice@example\.com or bob@example\.com with (\S+)/

const directory = createDatabaseDirectory('machine-auth-blog')
afterAll(() => removeDirectory(directory))

function start(env: Readonly<Record<string, string>> = {}) {
  return startExample(BLOG, { directory, env })
}

test(
  'prints a password at the first start only, keeps its users, and takes DEMO_PASSWORD over later',
  async () => {
    let password: string
    {
      await using first = await start()
      password = findPrinted(first, PRINTED)
      expect(first.output()).toContain(`http://localhost:${first.port}/swagger`)
      const { access_token } = await login(first.origin, 'alice@example.com', password)
      const users = await request(first.origin, 'GET /admin/users', { headers: bearer(access_token) })
      expect(users.body.map(({ email, roles }: { email: string; roles: string[] }) => [email, roles])).toEqual(
        expect.arrayContaining([
          ['alice@example.com', ['admin']],
          ['bob@example.com', ['user']],
        ]),
      )
      expect(users.body).toHaveLength(2)
      expect((await request(first.origin, 'GET /posts')).body).toEqual([{ id: '1', title: expect.any(String) }])
      const posts = await request(first.origin, 'GET /posts', { headers: bearer(access_token) })
      const bob = users.body.find(({ email }: { email: string }) => email === 'bob@example.com')
      expect(posts.body).toEqual([
        expect.objectContaining({ id: '1', published: true }),
        expect.objectContaining({ id: '2', published: false, authorId: bob.id }),
      ])
    }
    {
      await using second = await start()
      expect(second.output()).not.toMatch(PRINTED)
      await login(second.origin, 'bob@example.com', password)
    }
    {
      await using third = await start({ DEMO_PASSWORD: 'another password' })
      expect(third.output()).not.toContain('another password')
      await login(third.origin, 'bob@example.com', 'another password')
      await expect(login(third.origin, 'bob@example.com', password)).rejects.toThrow('401 login_failed')
    }
  },
  START_TIMEOUT,
)
