/** Processes of their own for tests that start, race and kill them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const ROOT = join(import.meta.dir, '../..')
export const MASTER_KEY = 'master-key-of-the-system-tests-0123456789'

/** A folder that is gone after the callback. */
export async function inTemporaryFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'machine-auth-system-'))
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export interface Run {
  readonly exitCode: number
  readonly output: string
}

/** Starts a script of this folder. */
export function spawnScript(script: string, cwd: string, env: Readonly<Record<string, string>> = {}) {
  return Bun.spawn([process.execPath, join(import.meta.dir, script)], {
    cwd,
    env: {
      PATH: process.env.PATH ?? '',
      MACHINE_AUTH_SECRET: 'a-secret-of-the-system-tests-0123456789-abcdef',
      MACHINE_AUTH_MASTER_KEY: MASTER_KEY,
      ...env,
    },
    stdout: 'pipe',
    stderr: 'pipe',
  })
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
  /** Lets it stop by itself. */
  stop(): Promise<void>
}

/** Starts `server.ts` and waits for its address. */
export async function startServer(cwd: string, env: Readonly<Record<string, string>> = {}): Promise<RunningServer> {
  const child = spawnScript('server.ts', cwd, env)
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
      await child.exited
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

/** Asks until an answer is as wanted; answers the ms it took, or fails after `patience` ms. */
export async function until(wanted: () => Promise<boolean>, patience: number): Promise<number> {
  const start = performance.now()
  while (performance.now() - start < patience) {
    if (await wanted()) return performance.now() - start
  }
  throw new Error(`not within ${patience} ms`)
}
