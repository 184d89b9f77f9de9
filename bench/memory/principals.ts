/** What verified credentials take in memory; for a process of its own. */
import { heapStats } from 'bun:jsc'
import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Elysia } from 'elysia'
import { createMachineAuth, type MachineAuth, machineAuth } from '../../src/index.ts'
import { ROLES, SECRET, store, type Texts, userIdOf } from './people.ts'

export const PRINCIPALS = ['apiKey', 'session', 'jwt'] as const
export type PrincipalKind = (typeof PRINCIPALS)[number]

/** Bytes of each, as the engine counts its heap, and as the system sees the process, gaps of garbage included. */
export interface Weight {
  readonly heap: number
  readonly resident: number
}

const HEADERS: Readonly<Record<PrincipalKind, (text: string) => Record<string, string>>> = {
  apiKey: (text) => ({ 'x-api-key': text }),
  session: (text) => ({ cookie: `session_id=${text}` }),
  jwt: (text) => ({ authorization: `Bearer ${text}` }),
}

const WARM_UP = 2000
/** How many are verified before garbage is cleared away, as it is in a process that has long been running. */
const PER_CLEARANCE = 2000

/** Memory of its own: what is read of a file and can be read again is left out. */
function anonymous(): number {
  const [, kilobytes] = /^RssAnon:\s+([0-9]+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  return Number(kilobytes) * 1024
}

export function footprint(): Weight {
  for (let round = 0; round < 3; round += 1) Bun.gc(true)
  return { resident: anonymous(), heap: heapStats().heapSize }
}

async function tokensOf(core: MachineAuth<'member'>, count: number): Promise<Texts> {
  const texts: string[] = []
  for (let index = 0; index < count; index += 1) {
    const user = { id: userIdOf(index), email: `user${index}@example.com`, roles: ['member'] as const }
    texts.push((await core.tokens.issueForUser(user)).access_token)
  }
  return texts
}

/** Verifies so many, each once, over guarded routes, limits counted and answers made; answers what each leaves behind. */
export async function weighPrincipals(kind: PrincipalKind, count: number): Promise<Weight> {
  const file = join(tmpdir(), `machine-auth-memory-${process.pid}.db`)
  try {
    const stored = await store(file, kind, count + WARM_UP)
    const options = {
      database: `sqlite:${file}`,
      secret: SECRET,
      docs: false,
      // What is counted is written, and gone, soon after.
      usage: false,
      roles: ROLES,
      apiKeys: { cacheSize: 4 * (count + WARM_UP), cacheTtl: '1h' },
    } as const
    await using core = createMachineAuth(options, { warn: () => undefined })
    await core.ready
    const texts = kind === 'jwt' ? await tokensOf(core, count + WARM_UP) : stored
    const app = new Elysia()
      .use(machineAuth(core))
      .get('/key', () => 'ok', { apiKey: true })
      .get('/user', () => 'ok', { currentUser: true })
    const url = `http://localhost/${kind === 'apiKey' ? 'key' : 'user'}`
    const verify = async (text: string) => {
      const answer = await app.handle(new Request(url, { headers: HEADERS[kind](text) }))
      if (answer.status !== 200) throw new Error(await answer.text())
      await answer.text()
    }
    for (const text of texts.slice(0, WARM_UP)) await verify(text)
    // SQLite remembers pages of its file: so all of them before anything is weighed.
    for (let index = 0; index < count; index += 1) await core.users.find(userIdOf(index))
    const before = footprint()
    for (let index = 0; index < count; index += 1) {
      await verify(texts[WARM_UP + index] ?? '')
      if (index % PER_CLEARANCE === 0) Bun.gc(true)
    }
    const after = footprint()
    return { heap: (after.heap - before.heap) / count, resident: (after.resident - before.resident) / count }
  } finally {
    for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true })
  }
}
