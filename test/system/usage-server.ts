/** A server that counts its requests as `USAGE` says (the option `usage` as JSON); prints its address. The plugin ends it. */
import { Elysia } from 'elysia'
import { createMachineAuth, machineAuth } from '../../src/index.ts'

const core = createMachineAuth({
  docs: false,
  apiKeys: { defaultRateLimit: false },
  usage: JSON.parse(process.env.USAGE ?? '{}'),
})
const app = new Elysia()
  .use(machineAuth(core))
  .get('/key', ({ apiKey }) => apiKey.name, { apiKey: true })
  .listen({ port: 0, hostname: '127.0.0.1' })

await core.ready
console.log(`http://127.0.0.1:${app.server?.port}`)
