/** Examples run as a stranger would run them: a process of their own, in an empty directory. */
import { readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createDatabaseDirectory, removeDirectory } from '../support/directories.ts'

export const ROOT = join(import.meta.dir, '../..')

/** Milliseconds for a hook or test that starts processes, on a machine that is busy with others. */
export const START_TIMEOUT = 30_000

/** Fast enough to be called polling; each round asks the port. */
const POLL_INTERVAL = 10
const PATIENCE = 10_000

/** A port that was free a moment ago. */
export async function findFreePort(): Promise<number> {
  const server = createServer()
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  server.once('error', reject)
  server.listen(0, () => {
    const address = server.address()
    server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(address)))
  })
  return promise
}

export interface Example extends AsyncDisposable {
  readonly origin: string
  readonly port: number
  readonly pid: number
  /** Null while it runs. */
  exitCode(): number | null
  /** Its working directory, empty at the start. */
  readonly directory: string
  /** What it has printed so far, both streams. */
  output(): string
  /** The names of the files it made, sorted. */
  files(): readonly string[]
  /** Ends the process and waits for its end; the directory stays. */
  kill(): Promise<void>
}

/** Only what a fresh shell would hold: no secret or database of this machine reaches the example. */
function environmentOf(directory: string, port: number, more: Readonly<Record<string, string>>) {
  return { PATH: process.env.PATH ?? '', HOME: directory, TMPDIR: directory, PORT: String(port), ...more }
}

/** Whether something answers HTTP at a port. */
async function answers(origin: string): Promise<boolean> {
  return fetch(origin).then(
    (response) => response.arrayBuffer().then(() => true),
    () => false,
  )
}

/**
 * Starts an example and waits until its port answers.
 *
 * @param file below the root of the project
 * @param options.args for the example itself
 * @param options.directory one that an example before has used; made and removed here when left out
 * @throws Error with what the process printed when it ends, or does not answer within 10 s
 */
export async function startExample(
  file: string,
  options: {
    readonly args?: readonly string[]
    readonly env?: Readonly<Record<string, string>>
    readonly directory?: string
  } = {},
): Promise<Example> {
  const directory = options.directory ?? createDatabaseDirectory('machine-auth-example')
  const port = await findFreePort()
  const child = Bun.spawn([process.execPath, join(ROOT, file), ...(options.args ?? [])], {
    cwd: directory,
    env: environmentOf(directory, port, options.env ?? {}),
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const printed: string[] = []
  const reading = [child.stdout, child.stderr].map(async (stream) => {
    const decoder = new TextDecoder()
    for await (const chunk of stream) printed.push(decoder.decode(chunk, { stream: true }))
  })
  const output = () => printed.join('')

  async function kill(): Promise<void> {
    child.kill()
    await child.exited
    await Promise.all(reading)
  }

  const origin = `http://localhost:${port}`
  const deadline = Date.now() + PATIENCE
  while (!(await answers(origin))) {
    if (child.exitCode === null && Date.now() < deadline) {
      await Bun.sleep(POLL_INTERVAL)
      continue
    }
    await kill()
    throw new Error(`${file} does not answer on port ${port} (exit ${child.exitCode}):\n${output()}`)
  }

  return {
    origin,
    port,
    pid: child.pid,
    exitCode: () => child.exitCode,
    directory,
    output,
    // Bun keeps something of its own in HOME.
    files: () =>
      readdirSync(directory)
        .filter((name) => name !== '.bun')
        .sort(),
    kill,
    async [Symbol.asyncDispose]() {
      await kill()
      if (options.directory === undefined) removeDirectory(directory)
    },
  }
}

/** Finds the one group of a pattern in what an example printed. */
export function findPrinted(example: Example, pattern: RegExp): string {
  const found = pattern.exec(example.output())?.[1]
  if (found === undefined) throw new Error(`${pattern} is not in:\n${example.output()}`)
  return found
}

/** Sends JSON and reads the answer; `body` is undefined where the answer is not JSON. */
export async function request(
  origin: string,
  target: string,
  options: { readonly headers?: Readonly<Record<string, string>>; readonly body?: unknown } = {},
) {
  const [method = 'GET', path = '/'] = target.split(' ')
  const response = await fetch(origin + path, {
    method,
    headers: {
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...options.headers,
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  })
  const text = await response.text()
  const isJson = (response.headers.get('content-type') ?? '').includes('json')
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined }
}

export async function login(origin: string, email: string, password: string) {
  const { status, body } = await request(origin, 'POST /auth/login', { body: { email, password } })
  if (status !== 200) throw new Error(`${email} cannot log in: ${status} ${body?.code}`)
  return body as { readonly access_token: string; readonly refresh_token: string }
}

export function bearer(token: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${token}` }
}
