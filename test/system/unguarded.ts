/** A server with a route that is declared before the plugin, so that nothing guards it. */
import { Elysia } from 'elysia'
import { machineAuth } from '../../src/index.ts'

const hole: object = { requireRole: 'admin' }

new Elysia()
  .get('/hole', () => 'let in', hole)
  .use(machineAuth({ docs: false }))
  .listen({ port: 0, hostname: '127.0.0.1' })
