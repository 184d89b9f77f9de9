/**
 * One machine, all cores: a process per core on one port and one SQLite file.
 * Run `bun examples/all-cores.ts`, or `bun examples/all-cores.ts 2` for two processes. Linux only: there `reusePort` has
 * the kernel spread connections over all processes that listen; elsewhere one of them gets all.
 *
 * A key that one process revokes is refused by all within a second. Quotas, credits, lockouts and blocks count for all;
 * rate limits count in each process by itself, unless there is a Redis (`MACHINE_AUTH_REDIS`).
 *
 * Nothing is restarted: when one process ends, the others are stopped too, and whoever watches over this one (systemd,
 * a container runtime) starts all of them anew.
 */
import { Elysia } from 'elysia'
import { machineAuth } from 'elysia-machine-auth'

function serve(): void {
  new Elysia()
    .use(machineAuth())
    .get('/', () => ({ process: process.pid }), { public: true })
    .get('/data', ({ apiKey }) => ({ key: apiKey.name, process: process.pid }), { apiKey: true })
    .listen({ port: process.env.PORT ?? 3000, reusePort: true })
  // Whoever started it is gone, perhaps killed: a server that nobody watches over would keep the port.
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
}

async function startAll(count: number): Promise<number> {
  const children = Array.from({ length: count }, () =>
    Bun.spawn([process.execPath, import.meta.path], {
      env: { ...process.env, SERVES_ONE_CORE: 'yes' },
      stdio: ['ignore', 'inherit', 'inherit'],
      ipc() {},
    }),
  )
  let isStopping = false
  // Once: a second signal would not let them finish what is under way.
  const stopAll = () => {
    if (!isStopping) for (const child of children) child.kill('SIGTERM')
    isStopping = true
  }
  process.once('SIGTERM', stopAll)
  // A terminal sends it to the children as well.
  process.once('SIGINT', () => {
    isStopping = true
  })
  const codes = children.map((child) => child.exited)
  const first = await Promise.race(codes)
  stopAll()
  return Math.max(first, ...(await Promise.all(codes)))
}

if (process.env.SERVES_ONE_CORE === 'yes') {
  serve()
} else {
  const count = Number(process.argv[2] ?? navigator.hardwareConcurrency)
  if (!Number.isInteger(count) || count < 1) throw new Error('Say how many processes, for example 4')
  process.exit(await startAll(count))
}
