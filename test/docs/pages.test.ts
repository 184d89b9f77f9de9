import { expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Elysia } from 'elysia'
import { createMachineAuth } from '../../src/core.ts'
import { listRoutes } from '../../src/guards/listing.ts'
import { machineAuth } from '../../src/plugin.ts'

const ROOT = join(import.meta.dir, '../..')
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')

const PAGES = [
  'README.md',
  'CHANGELOG.md',
  'SECURITY.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

test.each(PAGES)('%s links to files that exist', (page) => {
  const links = [...read(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#]+)/g)].map(([, target = '']) => target)
  expect(links.filter((target) => !existsSync(join(ROOT, dirname(page), target)))).toEqual([])
})

test('README lists every endpoint and no other', async () => {
  await using core = createMachineAuth(
    { database: 'sqlite::memory:', docs: false },
    { env: {}, cwd: '/nonexistent', warn() {} },
  )
  const routes = listRoutes(new Elysia().use(machineAuth(core))).map(({ method, path }) => `${method} ${path}`)
  const start = read('README.md').indexOf('\n## Endpoints\n')
  const section = read('README.md').slice(start, read('README.md').indexOf('\n## ', start + 1))
  const listed = [...section.matchAll(/`((?:GET|POST|PUT|PATCH|DELETE) )(\/[^`]*)`/g)].map(([, method, path = '']) =>
    path.startsWith('/.well-known') ? `${method}${path}` : `${method}/auth${path}`,
  )
  expect(listed.sort()).toEqual(routes.sort())
})
