import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { createServer } from 'node:net'
import { asMaster, MASTER_KEY } from '../support/test-app.ts'
import { type CliDirectory, createDirectory, must } from './support.ts'

let cli: CliDirectory
beforeEach(() => {
  cli = createDirectory({ MACHINE_AUTH_MASTER_KEY: MASTER_KEY })
})
afterEach(() => cli[Symbol.dispose]())

/** A server by the command, until it is stopped. */
async function start(...args: readonly string[]) {
  const listening = Promise.withResolvers<string>()
  const stopping = Promise.withResolvers<void>()
  const finished = cli.run(['serve', '--port', '0', ...args], {
    onOutput: (text) => listening.resolve(/http:\S+/.exec(text)?.[0] ?? text),
    untilStopped: () => stopping.promise,
  })
  const url = await listening.promise
  return {
    url,
    async stop() {
      stopping.resolve()
      return finished
    },
  }
}

const taken = (port: number) =>
  `error: Cannot listen on 127.0.0.1, port ${port}: it is in use. Choose another one with --port, or stop what listens there.\n`

describe('serve', () => {
  test('answers the endpoints, prints one line, and stops when it is asked to', async () => {
    const server = await start()
    const answer = await fetch(`${server.url}/auth/keys`, { headers: asMaster })
    expect([answer.status, await answer.json()]).toEqual([200, { items: [], nextCursor: null }])
    const run = await server.stop()
    expect([run.code, run.out, run.err]).toEqual([0, `Listening on ${server.url}\n`, ''])
    expect(server.url).toStartWith('http://127.0.0.1:')
    expect(fetch(`${server.url}/auth/keys`)).rejects.toThrow()
  })

  test('refuses within a second a key that a command revokes beside it', async () => {
    const { key, rawKey } = await must(cli, ['key', 'create', '--name', 'CI'])
    const server = await start()
    const ask = () => fetch(`${server.url}/auth/me`, { headers: { 'x-api-key': rawKey } })
    expect((await ask()).status).toBe(200)
    await must(cli, ['key', 'revoke', key.id, '--yes'])
    const revokedAt = performance.now()
    while ((await ask()).status === 200) {
      if (performance.now() - revokedAt > 5000) break
      await Bun.sleep(20)
    }
    expect(performance.now() - revokedAt).toBeLessThan(1500)
    expect(await (await ask()).json()).toMatchObject({ status: 401, code: 'api_key_revoked' })
    await server.stop()
  })

  test('says that a port is taken: exit 1', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const address = other.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const run = await cli.run(['serve', '--port', String(port)])
    other.close()
    expect([run.code, run.out]).toEqual([1, ''])
    expect(run.err).toBe(taken(port))
  })

  test('does not share the port of another one: exit 1, in a line', async () => {
    const first = await start()
    const port = Number(new URL(first.url).port)
    const second = await cli.run(['serve', '--port', String(port)])
    expect([second.code, second.out, second.err]).toEqual([1, '', taken(port)])
    expect((await fetch(`${first.url}/auth/keys`, { headers: asMaster })).status).toBe(200)
    await first.stop()
  })

  test.each([
    { name: '--port', args: ['--port', '70000'], env: {} },
    { name: 'PORT', args: [], env: { PORT: 'http' } },
  ])('$name out of range is a usage error', async ({ args, env }) => {
    const run = await cli.run(['serve', ...args], { env })
    expect([run.code, run.err]).toEqual([2, expect.stringContaining('0 to 65535')])
  })
})
