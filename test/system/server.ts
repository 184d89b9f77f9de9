/** A guarded server on the database of its folder; prints its address. */
import { Elysia } from 'elysia'
import { machineAuth } from '../../src/index.ts'

const app = new Elysia()
  .use(machineAuth({ docs: false }))
  .get('/key', ({ apiKey }) => apiKey.name, { apiKey: true })
  .listen({ port: 0, hostname: '127.0.0.1' })

console.log(`http://127.0.0.1:${app.server?.port}`)
