/** Probes are found however an app is served, and the URL of what is none is read no more than once a route. */
import { afterEach, expect, spyOn, test } from 'bun:test'
import { Probes } from '../../src/guards/probes.ts'
import { addKey, createTestApp, type TestApp } from '../support/test-app.ts'

const servers: { stop(close?: boolean): Promise<void> }[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop(true)
})

const WAYS = {
  'it listens itself': ({ origin }: TestApp) => origin,
  'its fetch is the server’s': ({ app }: TestApp) => keep(Bun.serve({ port: 0, fetch: app.fetch })),
  'its fetch is one of the server’s routes': ({ app }: TestApp) =>
    keep(Bun.serve({ port: 0, routes: { '/*': app.fetch } })),
} as const

function keep(server: { readonly url: URL; stop(close?: boolean): Promise<void> }): string {
  servers.push(server)
  return server.url.origin
}

test.each(Object.entries(WAYS))('where %s, a probe is one after any other request', async (_, serve) => {
  await using app = await createTestApp()
  const origin = serve(app)
  const isOne = spyOn(Probes.prototype, 'isOne')
  const { headers } = await addKey(app)
  const status = async (path: string) => (await fetch(origin + path, { headers })).status
  for (let round = 0; round < 3; round += 1) expect(await status('/key')).toBe(200)
  isOne.mockClear()
  expect(await status('/auth/health/live')).toBe(200)
  // The last result is that of the probe: it is known as one.
  expect(isOne.mock.results.at(-1)?.value).toBeTrue()
  isOne.mockRestore()
})

test('the URL of a route that is no probe is looked at once', async () => {
  await using app = await createTestApp()
  const { headers } = await addKey(app)
  const isOne = spyOn(Probes.prototype, 'isOne')
  for (let round = 0; round < 5; round += 1) expect((await app.ask('/key', { headers })).status).toBe(200)
  expect(isOne.mock.calls.length).toBe(1)
  isOne.mockRestore()
})
