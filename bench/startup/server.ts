/** A child of `bench/startup.ts`: serves one route, asks it once, and ends. Imports nothing but elysia on top. */
import { Elysia } from 'elysia'

const [database] = process.argv.slice(2)
const app = new Elysia()
if (database !== undefined) {
  const { machineAuth } = await import('../../src/index.ts')
  app.use(machineAuth({ database })).get('/', () => 'Hello', { apiKey: true })
} else app.get('/', () => 'Hello')
app.listen({ port: 0, hostname: '127.0.0.1' })
// Answered when the database is migrated and read.
const { status } = await fetch(`http://127.0.0.1:${app.server?.port}/`)
process.exit(status === (database === undefined ? 200 : 401) ? 0 : 1)
