import { Elysia } from 'elysia'
import { machineAuth } from 'elysia-machine-auth'

export const app = new Elysia()
  .use(machineAuth())
  .get('/data', ({ apiKey }) => ({ key: apiKey.name }), { apiKey: true })
  .get('/admin', ({ currentUser }) => ({ hello: currentUser.email }), { requireRole: 'admin' })
  .listen(process.env.PORT ?? 3000)
