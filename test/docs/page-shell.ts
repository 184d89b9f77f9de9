/** A shell in an empty directory, as a reader has one: what one step sets, the next one finds. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createDatabaseDirectory, removeDirectory } from '../support/directories.ts'

const ROOT = join(import.meta.dir, '../..')
/** ms for one step, on a machine that is busy with others. */
const PATIENCE = 20_000

/** Each command in the background is a group of its own, to be ended whole. `bunx` takes this checkout for the installed package; `curl` says the status, and headers that pages show. */
const PRELUDE = `
exec 2>&1
shopt -s expand_aliases
set -m
trap 'for job in $(jobs -p); do kill -- -$job; done' EXIT
bunx() { shift; "$BUN" "$PACKAGE/src/cli/main.ts" "$@"; }
curl() {
  local answer
  answer=$(command curl --noproxy '*' -D "$HEADERS" -w '\\n%{http_code}' "$@") || return
  printf '%s\\n' "\${answer##*$'\\n'}"
  tr -d '\\r' < "$HEADERS" | sed -n 's/^idempotency-replayed:/Idempotency-Replayed:/Ip; s/^x-api-key-expires:/X-API-Key-Expires:/Ip'
  printf '%s\\n' "\${answer%$'\\n'*}"
}
`

export interface Answer {
  readonly code: number
  readonly text: string
}

export interface PageShell extends AsyncDisposable {
  readonly directory: string
  /** Runs commands; with `isAnswered`, waits also for what a command in the background prints. */
  run(commands: string, isAnswered?: (text: string) => boolean): Promise<Answer>
}

/** A directory in which our own package is installed. */
export function createPageDirectory(): string {
  const directory = createDatabaseDirectory('machine-auth-page')
  const link = join(directory, 'node_modules/elysia-machine-auth')
  mkdirSync(dirname(link))
  symlinkSync(ROOT, link)
  return directory
}

/** @param directory as `createPageDirectory` made it; removed at the end */
export function openPageShell(directory: string, env: Readonly<Record<string, string>>): PageShell {
  const own = join(directory, '.shell')
  mkdirSync(own)
  const child = Bun.spawn(['bash', '--noprofile', '--norc'], {
    cwd: directory,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: directory,
      TMPDIR: directory,
      BUN: process.execPath,
      PACKAGE: ROOT,
      HEADERS: join(own, 'headers'),
      ...env,
    },
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'ignore',
  })
  let printed = ''
  let onPrinted = Promise.withResolvers<void>()
  const reading = (async () => {
    const decoder = new TextDecoder()
    for await (const chunk of child.stdout) {
      printed += decoder.decode(chunk, { stream: true })
      onPrinted.resolve()
      onPrinted = Promise.withResolvers<void>()
    }
    onPrinted.resolve()
  })()
  child.stdin.write(PRELUDE)
  let made = 0

  async function run(commands: string, isAnswered: (text: string) => boolean = () => true): Promise<Answer> {
    made += 1
    const file = join(own, `${made}.sh`)
    writeFileSync(file, `${commands}\n`)
    const mark = `@@${made}:`
    printed = ''
    child.stdin.write(`. ${file} < /dev/null; printf '\\n${mark}%s@@\\n' $?\n`)
    child.stdin.flush()
    const end = new RegExp(`\\n${mark}(\\d+)@@\\n`)
    const deadline = Date.now() + PATIENCE
    for (;;) {
      const [whole, code] = end.exec(printed) ?? []
      const text = whole === undefined ? printed : printed.replace(whole, '')
      if (code !== undefined && isAnswered(text)) return { code: Number(code), text }
      if (Date.now() > deadline || child.exitCode !== null) return { code: Number(code ?? -1), text }
      await Promise.race([onPrinted.promise, Bun.sleep(100)])
    }
  }

  return {
    directory,
    run,
    async [Symbol.asyncDispose]() {
      // At its end the shell ends what it has in the background.
      child.stdin.end()
      await child.exited
      await reading
      // The reader's own words, keys among them; what is left is ours.
      rmSync(own, { recursive: true })
      removeDirectory(directory)
    },
  }
}
