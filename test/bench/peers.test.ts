import { afterAll, describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Entry, type Refusal, requireGuard } from '../../bench/peers/announce.ts'
import { CONTESTANTS } from '../../bench/peers/contestants.ts'
import { bearerOf, forge } from '../../bench/peers/figures.ts'
import { WANTED } from '../../bench/peers/versions.ts'
import manifest from '../../package.json' with { type: 'json' }

const ROOT = join(import.meta.dir, '../..')
const RIGHT = bearerOf('right')

const servers: Bun.Server<undefined>[] = []
afterAll(() => Promise.all(servers.map((server) => server.stop(true))))

/** @param answer from the credential and how many requests there were */
function serve(answer: (authorization: string | null, count: number) => number): number {
  let count = 0
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      count += 1
      return new Response('bench', { status: answer(request.headers.get('authorization'), count) })
    },
  })
  servers.push(server)
  return server.port ?? 0
}

const openDoor = () => 200
const closedDoor = () => 401
const guarded = (authorization: string | null) => (authorization === RIGHT.authorization ? 200 : 401)
const limited = (_: string | null, count: number) => (count > 3 ? 429 : 200)

const NONE: Refusal = { headers: {}, status: 401 }
const WRONG: Refusal = { headers: bearerOf('wrong'), status: 401 }
const OVER: Refusal = { headers: RIGHT, status: 429, requests: 3 }

function entryOf(answer: Parameters<typeof serve>[0], refusals: readonly Refusal[]): Entry {
  return { port: serve(answer), headers: RIGHT, refusals }
}

describe('a server that is compared', () => {
  test.each([
    ['guards nothing and says so', () => entryOf(openDoor, [])],
    ['refuses what is wrong', () => entryOf(guarded, [NONE, WRONG])],
    ['refuses what is over its limit', () => entryOf(limited, [OVER])],
    ['refuses with a lower limit elsewhere', () => entryOf(openDoor, [{ ...OVER, port: serve(limited), requests: 4 }])],
    [
      'is asked with the first of what comes in turn',
      () => ({
        ...entryOf(guarded, [NONE]),
        headers: {},
        inTurn: { name: 'authorization', values: [RIGHT.authorization] },
      }),
    ],
  ])('is taken when it %s', async (_, entry) => {
    expect(await requireGuard(entry())).toBeUndefined()
  })

  test.each([
    ['lets in whoever presents nothing', () => entryOf(openDoor, [NONE]), 'answered 200 where 401 was due'],
    ['lets in a wrong credential', () => entryOf(openDoor, [WRONG]), 'answered 200 where 401 was due'],
    ['refuses a right credential', () => entryOf(closedDoor, [NONE]), 'the right credential was answered 401'],
    ['has a limit that never refuses', () => entryOf(openDoor, [OVER]), 'request 3 was answered 200 where 429 was due'],
    ['refuses for another reason', () => entryOf(guarded, [{ ...WRONG, status: 429 }]), 'answered 401 where 429'],
  ])('is no comparison when it %s', async (_, entry, message) => {
    await expect(requireGuard(entry())).rejects.toThrow(message)
  })

  test.each(['a', 'A', 'B'])('is asked with a wrong credential that is like the right one, of %s', (letter) => {
    const right = letter.repeat(64)
    expect(forge(right)).toHaveLength(right.length)
    expect(forge(right)).not.toBe(right)
  })
})

describe('the peers', () => {
  test('are named with the exact version that is installed', async () => {
    const lock = await Bun.file(join(ROOT, 'bench/peers/bun.lock')).text()
    for (const [name, version] of Object.entries(WANTED)) expect(lock).toContain(`"${name}@${version}"`)
  })

  test.each(CONTESTANTS.map((contestant) => [contestant.name, contestant] as const))('%s can be started', (_, one) => {
    expect(existsSync(join(ROOT, 'bench', one.command[0]))).toBe(true)
    for (const name of one.packages) expect(Object.keys(WANTED)).toContain(name)
  })

  test('are needed by nothing but their servers', async () => {
    const names = Object.keys(WANTED).join('|')
    const imported = new RegExp(`(?:from|import\\() ?['"](?:${names})(?:/[^'"]*)?['"]`)
    const users: string[] = []
    for await (const path of new Bun.Glob('{src,test,examples,scripts,bench}/**/*.ts').scan(ROOT)) {
      if (path.includes('node_modules') || path.startsWith('bench/peers/servers/')) continue
      if (imported.test(await Bun.file(join(ROOT, path)).text())) users.push(path)
    }
    expect(users).toEqual([])
    const own = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.peerDependencies })
    expect(own.filter((name) => Object.hasOwn(WANTED, name))).toEqual([])
    expect(manifest.files.filter((path) => path.startsWith('bench'))).toEqual([])
  })
})
