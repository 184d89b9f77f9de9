/**
 * What becomes of requests, sockets and the process when it is told to stop. How long that takes is what is measured:
 * delays, timeouts and slow answers pass in real time.
 */
import { describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { join } from 'node:path'
import { until } from '../support/until.ts'
import { inTemporaryFolder, ROOT, spawnBun, spawnScript } from './fixtures.ts'

type Env = Readonly<Record<string, string>>
type Child = ReturnType<typeof spawnBun>

/** ms within which a process has ended, whatever hangs. */
const LONGEST = 5000

/** Reads what a process prints, line by line. */
async function follow(child: Child) {
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const read = async () => {
    const { value = '', done } = await reader.read()
    text += value
    return !done
  }
  while (!/http:\S+/.test(text)) if (!(await read())) throw new Error(await new Response(child.stderr).text())
  return {
    origin: /http:\/\/[^\s,"]+/.exec(text)?.[0].replace('localhost', '127.0.0.1') ?? '',
    async rest() {
      while (await read());
      return text.slice(text.indexOf('\n') + 1)
    },
  }
}

async function withServer(env: Env, use: (server: Served) => Promise<void>, command?: readonly string[]) {
  await inTemporaryFolder(async (folder) => {
    const child =
      command === undefined ? spawnScript('shutdown-server.ts', folder, env) : spawnBun(command, folder, env)
    try {
      const { origin, rest } = await follow(child)
      let signalledAt = 0
      await use({
        origin,
        signal(name) {
          signalledAt ||= performance.now()
          child.kill(name)
        },
        async ended() {
          const output = rest()
          const code = await child.exited
          return { code, took: performance.now() - signalledAt, output: await output }
        },
      })
    } finally {
      child.kill('SIGKILL')
    }
  })
}

interface Served {
  readonly origin: string
  signal(name: 'SIGTERM' | 'SIGINT'): void
  ended(): Promise<{ readonly code: number; readonly took: number; readonly output: string }>
}

/** A client that keeps its connection, asks again and again until it is told to close, and notes what broke. */
async function hammer(origin: string, isSignalled: () => boolean, onAnswer: () => void) {
  const { hostname, port } = new URL(origin)
  const seen = { answered: 0, askedToGo: 0, brokenBefore: 0 }
  const over = Promise.withResolvers<void>()
  const socket = connect(Number(port), hostname)
  let wasSentBefore: boolean | null = null
  const send = () => {
    wasSentBefore = !isSignalled()
    socket.write('GET /open HTTP/1.1\r\nHost: localhost\r\n\r\n')
  }
  socket.on('connect', send)
  socket.on('data', (data) => {
    wasSentBefore = null
    seen.answered += 1
    onAnswer()
    if (!/connection: close/i.test(String(data))) setTimeout(send, 1)
    else seen.askedToGo += 1
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    if (wasSentBefore === true) seen.brokenBefore += 1
    over.resolve()
  })
  await over.promise
  return seen
}

/** Until the server has a request that it does not answer yet. */
const untilWaiting = (origin: string) =>
  until(async () => (await (await fetch(`${origin}/waiting`)).text()) === '1', LONGEST)

/** Until the server is no longer ready, or no longer there. */
const untilDraining = (origin: string) =>
  until(
    () =>
      fetch(`${origin}/auth/health/ready`).then(
        ({ ok }) => !ok,
        () => true,
      ),
    LONGEST,
  )

describe('SIGTERM', () => {
  test('answers what was asked before, sends the others away, and ends with 0', async () => {
    await withServer({}, async ({ origin, signal, ended }) => {
      let isSignalled = false
      let answers = 0
      const clients = Array.from({ length: 30 }, () =>
        hammer(
          origin,
          () => isSignalled,
          () => (answers += 1),
        ),
      )
      await until(async () => (await fetch(`${origin}/open`)).ok && answers > 300, LONGEST)
      const slow = fetch(`${origin}/slow`).then((answer) => answer.text())
      await untilWaiting(origin)
      isSignalled = true
      signal('SIGTERM')
      const { code, took, output } = await ended()
      const seen = await Promise.all(clients)
      expect(await slow).toBe('slow')
      expect(seen.map(({ brokenBefore }) => brokenBefore)).toEqual(seen.map(() => 0))
      expect(seen.map(({ askedToGo }) => askedToGo)).toEqual(seen.map(() => 1))
      expect([code, output]).toEqual([0, 'stopped\n'])
      expect(took).toBeLessThan(2000)
    })
  })

  test('refuses readiness for the delay, in which requests are still answered', async () => {
    await withServer({ DELAY: '700ms' }, async ({ origin, signal, ended }) => {
      expect((await fetch(`${origin}/auth/health/ready`)).status).toBe(200)
      signal('SIGTERM')
      let ready = await fetch(`${origin}/auth/health/ready`)
      while (ready.status === 200) ready = await fetch(`${origin}/auth/health/ready`)
      expect([ready.status, ((await ready.json()) as { status: string }).status]).toEqual([503, 'draining'])
      expect((await fetch(`${origin}/open`)).status).toBe(200)
      expect((await fetch(`${origin}/auth/health/live`)).status).toBe(200)
      const { code, took } = await ended()
      expect([code, took > 600, took < 3000]).toEqual([0, true, true])
    })
  })

  test('does not wait for a handler that hangs, nor for a WebSocket', async () => {
    await withServer({}, async ({ origin, signal, ended }) => {
      const hangs = fetch(`${origin}/hangs`).then(
        () => 'answered',
        () => 'cut',
      )
      const socket = new WebSocket(`${origin.replace('http', 'ws')}/ws`)
      const closed = Promise.withResolvers<number>()
      socket.onclose = ({ code }) => closed.resolve(code)
      await new Promise((resolve) => {
        socket.onmessage = resolve
      })
      signal('SIGTERM')
      const { code, took, output } = await ended()
      expect([code, output, await hangs, await closed.promise]).toEqual([0, 'stopped\n', 'cut', 1001])
      expect(took).toBeGreaterThan(2900)
      expect(took).toBeLessThan(LONGEST)
    })
  })

  test('does not wait for a WebSocket when nothing else is left', async () => {
    await withServer({}, async ({ origin, signal, ended }) => {
      const socket = new WebSocket(`${origin.replace('http', 'ws')}/ws`)
      await new Promise((resolve) => {
        socket.onmessage = resolve
      })
      signal('SIGTERM')
      const { code, took } = await ended()
      expect([code, took < 2000]).toEqual([0, true])
    })
  })

  test('leaves the end to an app with a listener of its own', async () => {
    await withServer({ OWN: 'yes' }, async ({ signal, ended }) => {
      signal('SIGTERM')
      const { code, output } = await ended()
      expect([code, output]).toEqual([7, 'stopped\nmine\n'])
    })
  })
})

describe.each([
  { name: 'SIGINT', code: 130 },
  { name: 'SIGTERM', code: 143 },
] as const)('$name, twice', ({ name, code }) => {
  test('ends the process at once', async () => {
    await withServer({}, async ({ origin, signal, ended }) => {
      void fetch(`${origin}/hangs`).catch(() => undefined)
      await untilWaiting(origin)
      signal(name)
      await untilDraining(origin)
      signal(name)
      const run = await ended()
      expect([run.code, run.took < 2000]).toEqual([code, true])
    })
  })
})

describe.each([
  { name: 'the blog', command: [join(ROOT, 'examples/blog/main.ts')], path: '/posts' },
  { name: 'serve', command: [join(ROOT, 'src/cli/main.ts'), 'serve', '--port', '0'], path: '/auth/health/ready' },
])('$name', ({ command, path }) => {
  test.each(['SIGTERM', 'SIGINT'] as const)('ends on %s with 0', async (name) => {
    const env = { PORT: '0', DEMO_PASSWORD: 'correct horse battery staple' }
    await withServer(
      env,
      async ({ origin, signal, ended }) => {
        expect((await fetch(origin + path)).status).toBe(200)
        signal(name)
        const { code, took } = await ended()
        expect([code, took < 2000]).toEqual([0, true])
      },
      command,
    )
  })
})
