/** Servers of their own processes, for what is not measured by `wrk`. */
import { join } from 'node:path'
import type { Announcement } from '../server.ts'
import type { Setting } from './server.ts'

export interface Started {
  readonly origin: string
  readonly headers: Readonly<Record<string, string>>
  readonly announcement: Announcement
}

/** Starts one server after the other, and ends them after the callback. */
export async function withServers(settings: readonly Setting[], use: (servers: readonly Started[]) => Promise<void>) {
  const children: Bun.Subprocess[] = []
  try {
    const servers: Started[] = []
    for (const setting of settings) {
      const first = servers[0]?.headers['x-api-key']
      const given = first === undefined ? setting : { ...setting, rawKey: first }
      const command = [process.execPath, join(import.meta.dir, 'server.ts'), JSON.stringify(given)]
      const child = Bun.spawn(command, {
        stderr: 'inherit',
        env: { ...process.env, NODE_ENV: 'development', ELYSIA_ENV: 'production' },
      })
      children.push(child)
      const reader = child.stdout.getReader()
      let text = ''
      while (!text.includes('\n')) {
        const { value, done } = await reader.read()
        if (done) throw new Error('the server did not start')
        text += new TextDecoder().decode(value)
      }
      const announcement = JSON.parse(text) as Announcement
      const { port, headers } = announcement
      servers.push({ origin: `http://127.0.0.1:${port}/`, headers, announcement })
    }
    await use(servers)
  } finally {
    for (const child of children) child.kill()
    await Promise.all(children.map(({ exited }) => exited))
  }
}
