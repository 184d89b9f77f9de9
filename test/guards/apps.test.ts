/** Which apps serve, as they come under one another: asked for by requests, it is remembered as long as it holds. */
import { expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { AppRegistry } from '../../src/guards/apps.ts'
import { internalsOf } from '../../src/guards/elysia-internals.ts'

function createRegistry() {
  const plugin = new Elysia({ name: 'plugin', seed: crypto.randomUUID() })
  const registry = new AppRegistry()
  registry.watch(plugin)
  return { plugin, registry, roots: () => registry.roots() as readonly object[] }
}

test('what is remembered is forgotten when an app comes under another one', () => {
  const { plugin, roots } = createRegistry()
  expect(roots()).toEqual([])
  const feature = new Elysia().use(plugin)
  expect(roots()).toEqual([feature])
  const other = new Elysia().use(plugin)
  expect(roots()).toEqual([feature, other])
  const module = new Elysia().use(feature)
  expect(roots()).toEqual([module, other])
  const server = new Elysia().use(module)
  expect(roots()).toEqual([server, other])
  server.use(other)
  expect(roots()).toEqual([server])
})

test('so it is for an app that only its start told of', () => {
  const { registry, roots } = createRegistry()
  const started = new Elysia()
  registry.add(started)
  registry.add(started)
  expect(roots()).toEqual([started])
  const server = new Elysia().use(started)
  expect(roots()).toEqual([server])
})

test('it is found once for all requests between', () => {
  const { plugin, registry } = createRegistry()
  const app = internalsOf(new Elysia().use(plugin))
  let asked = 0
  const { getParent } = app
  app.getParent = () => {
    asked += 1
    return getParent()
  }
  asked = 0
  for (let count = 0; count < 3; count += 1) registry.socketAddress(new Request('http://localhost/'))
  expect(asked).toBe(1)
})

test('an address is known from when the app listens', async () => {
  const { plugin, registry } = createRegistry()
  const app = new Elysia().use(plugin).get('/', ({ request }) => registry.socketAddress(request) ?? 'nobody')
  expect(await app.handle(new Request('http://localhost/')).then((answer) => answer.text())).toBe('nobody')
  app.listen({ port: 0, hostname: '127.0.0.1' })
  try {
    expect(await fetch(`http://127.0.0.1:${app.server?.port}/`).then((answer) => answer.text())).toBe('127.0.0.1')
  } finally {
    await app.stop(true)
  }
})
