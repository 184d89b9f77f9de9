/** Processes of their own for tests that start, race and kill them; all that they leave is looked through for credentials. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lookThroughText } from '../support/credentials/report.ts'
import { issued } from '../support/credentials/watch.ts'
import { removeDirectory } from '../support/directories.ts'

export const ROOT = join(import.meta.dir, '../..')
export const MASTER_KEY = 'master-key-of-the-system-tests-0123456789'
const SECRET = 'a-secret-of-the-system-tests-0123456789-abcdef'
issued.note('master key', MASTER_KEY, true)
issued.note('root secret', SECRET, true)

/** What children say, until it is looked through. */
const heard: Promise<void>[] = []

/** A folder on a disk, as servers have; it is gone after the callback. */
export async function inTemporaryFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'machine-auth-system-'))
  try {
    return await use(folder)
  } finally {
    await Promise.all(heard.splice(0))
    removeDirectory(folder)
  }
}

export interface Run {
  readonly exitCode: number
  readonly output: string
}

/** A stream that somebody else reads as well, to look through it when it ends. */
function overhear(place: string, stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
  const [own, theirs] = stream.tee()
  heard.push(new Response(own).text().then((text) => lookThroughText(place, text)))
  return theirs
}

/** Starts Bun on what a command names. Whoever starts it ends it within its folder. */
export function spawnBun(command: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}) {
  const child = Bun.spawn([process.execPath, ...command], {
    cwd,
    env: { PATH: process.env.PATH ?? '', MACHINE_AUTH_SECRET: SECRET, ...env },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const name = command.join(' ')
  return {
    stdout: overhear(`stdout of ${name}`, child.stdout),
    stderr: overhear(`stderr of ${name}`, child.stderr),
    exited: child.exited,
    kill: (signal: NodeJS.Signals) => child.kill(signal),
  }
}

/** Starts a script of this folder. */
export function spawnScript(script: string, cwd: string, env: Readonly<Record<string, string>> = {}) {
  return spawnBun([join(import.meta.dir, script)], cwd, { MACHINE_AUTH_MASTER_KEY: MASTER_KEY, ...env })
}

/** Runs a script to its end. */
export async function runScript(script: string, cwd: string, env: Readonly<Record<string, string>> = {}): Promise<Run> {
  const child = spawnScript(script, cwd, env)
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { exitCode: await child.exited, output: out + err }
}

export interface RunningServer {
  readonly origin: string
  kill(): Promise<void>
  /** Lets it stop by itself, as it should. */
  stop(): Promise<void>
}

/** Starts `server.ts`, or another script that prints its address, and waits for that. */
export async function startServer(
  cwd: string,
  env: Readonly<Record<string, string>> = {},
  script = 'server.ts',
): Promise<RunningServer> {
  const child = spawnScript(script, cwd, env)
  const reader = child.stdout.getReader()
  let text = ''
  while (!text.includes('\n')) {
    const { value, done } = await reader.read()
    if (done) throw new Error(`the server did not start: ${await new Response(child.stderr).text()}`)
    text += new TextDecoder().decode(value)
  }
  return {
    origin: text.trim(),
    async kill() {
      child.kill('SIGKILL')
      await child.exited
    },
    async stop() {
      child.kill('SIGTERM')
      const code = await child.exited
      if (code !== 0) throw new Error(`${script} ended with ${code}`)
    },
  }
}

export async function manage(origin: string, path: string, body?: unknown): Promise<Response> {
  return fetch(origin + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'x-admin-key': MASTER_KEY, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}
