/** The app that the image runs: put yours in its place. All that differs between machines comes from the environment. */
import { Elysia } from 'elysia'
import { machineAuth } from 'elysia-machine-auth'

new Elysia()
  .use(
    machineAuth({
      docs: false,
      // Together with what closing takes, less than the grace period of the container.
      shutdown: { delay: '5s', timeout: '15s' },
    }),
  )
  .get('/', () => 'Hello.', { public: true })
  .get('/data', ({ apiKey }) => ({ key: apiKey.name }), { apiKey: true })
  .listen({ port: process.env.PORT ?? 3000, hostname: '0.0.0.0', reusePort: false })
