/** A server for tests of its end: `DELAY` and `TIMEOUT` are those of its options, `OWN` gives it a listener of its own. */
import { Elysia } from 'elysia'
import { createMachineAuth, machineAuth } from '../../src/index.ts'

const { DELAY = '0s', TIMEOUT = '3s', OWN } = process.env
const core = createMachineAuth({ docs: false, shutdown: { delay: DELAY, timeout: TIMEOUT } })
/** Requests that wait for their answers. */
let waiting = 0
const app = new Elysia()
  .use(machineAuth(core))
  .get('/open', () => 'open', { public: true })
  .get('/waiting', () => waiting, { public: true })
  .get(
    '/slow',
    () => {
      waiting += 1
      return Bun.sleep(500).then(() => 'slow')
    },
    { public: true },
  )
  .get(
    '/hangs',
    () => {
      waiting += 1
      return new Promise<string>(() => undefined)
    },
    { public: true },
  )
  .ws('/ws', { public: true, open: (ws) => void ws.send('open') })
  .onStop(() => console.log('stopped'))
  .listen({ port: 0, hostname: '127.0.0.1' })

if (OWN !== undefined) {
  process.once('SIGTERM', async () => {
    while ((await fetch(`http://127.0.0.1:${app.server?.port}/open`).catch(() => null)) !== null) await Bun.sleep(10)
    await core.close()
    console.log('mine')
    process.exit(7)
  })
}

await core.ready
console.log(`http://127.0.0.1:${app.server?.port}`)
