/** A real nginx on loopback, unprivileged, from a directory of its own. */
import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createDatabaseDirectory, removeDirectory } from '../support/directories.ts'
import { type Answer, readAnswer } from '../support/test-app.ts'

/** Debian puts it where only root looks. */
export const NGINX = Bun.which('nginx', { PATH: `${process.env.PATH}:/usr/sbin:/sbin` })

/** One server of nginx: what it sends on to, and what it says there of its client. */
export interface ProxyServer {
  readonly listen: string
  /** An origin. */
  readonly to: string
  /** The directives of its location, such as `proxy_set_header X-Forwarded-For $remote_addr`. */
  readonly directives: readonly string[]
}

function serverOf({ listen, to, directives }: ProxyServer): string {
  const location = [`proxy_pass ${to}`, 'proxy_http_version 1.1', 'proxy_set_header Connection ""', ...directives]
  return `server { listen ${listen}; location / { ${location.map((each) => `${each};`).join(' ')} } }`
}

function configure(directory: string, proxies: readonly ProxyServer[]): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return [
    // One process, which is the one to end.
    'daemon off; master_process off;',
    `pid ${directory}/nginx.pid; error_log ${directory}/error.log;`,
    'events { worker_connections 512; }',
    'http {',
    'access_log off;',
    ...temporary.map((name) => `${name}_temp_path ${directory}/${name};`),
    ...proxies.map(serverOf),
    '}',
    '',
  ].join('\n')
}

function accepts(listen: string): Promise<boolean> {
  const end = listen.lastIndexOf(':')
  const host = listen.slice(0, end).replace(/^\[|\]$/g, '')
  return new Promise((resolve) => {
    const socket = connect(Number(listen.slice(end + 1)), host, () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** Starts nginx and waits until it listens everywhere. */
export async function startNginx(binary: string, proxies: readonly ProxyServer[]): Promise<{ stop(): Promise<void> }> {
  const directory = createDatabaseDirectory('machine-auth-nginx')
  const config = join(directory, 'nginx.conf')
  writeFileSync(config, configure(directory, proxies))
  const args = ['-c', config, '-p', directory, '-e', join(directory, 'error.log')]
  const nginx = Bun.spawn([binary, ...args], { stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' })
  async function stop(): Promise<void> {
    nginx.kill('SIGKILL')
    await nginx.exited
    removeDirectory(directory)
  }
  for (const { listen } of proxies) {
    while (!(await accepts(listen))) {
      if (nginx.exitCode === null) continue
      const said = await new Response(nginx.stderr).text()
      await stop()
      throw new Error(`nginx ended: ${said}`)
    }
  }
  return { stop }
}

export interface Sent {
  /** The client's own address: all of 127.0.0.0/8 is this machine. */
  readonly from?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Asks a server from an address of the client's choice. */
export function askFrom(origin: string, path: string, { from, headers = {} }: Sent = {}): Promise<Answer> {
  const { hostname, port } = new URL(origin)
  const host = hostname.replace(/^\[|\]$/g, '')
  return new Promise((resolve, reject) => {
    const sent = request({
      host,
      port,
      path,
      headers,
      agent: false,
      ...(from === undefined ? {} : { localAddress: from }),
    })
    sent.once('error', reject)
    sent.once('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('error', reject)
      response.once('end', () => {
        const entries = Object.entries(response.headers).map(
          ([name, value]) => [name, String(value)] as [string, string],
        )
        const { statusCode: status = 0 } = response
        const body = status === 204 ? null : Buffer.concat(chunks)
        readAnswer(new Response(body, { status, headers: entries })).then(resolve, reject)
      })
    })
    sent.end()
  })
}
