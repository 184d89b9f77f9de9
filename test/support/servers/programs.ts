/** Where the programs of the private servers are, and whom they run as. */
import { chmodSync, chownSync, readFileSync } from 'node:fs'

/** Debian puts some where only root looks, and those of PostgreSQL in a folder for each version. */
const DEBIAN = `${process.env.PATH}:/usr/sbin:/sbin`

function findPostgres(program: string): string | null {
  const inPath = Bun.which(program)
  if (inPath !== null) return inPath
  const found = [...new Bun.Glob(`usr/lib/postgresql/*/bin/${program}`).scanSync({ cwd: '/', onlyFiles: false })]
  const [newest] = found.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
  return newest === undefined ? null : `/${newest}`
}

/** Null where it is not installed. */
export const REDIS = Bun.which('redis-server', { PATH: DEBIAN })
export const PGBOUNCER = Bun.which('pgbouncer', { PATH: DEBIAN })
export const POSTGRES = findPostgres('postgres')
export const INITDB = findPostgres('initdb')

const USER = 'postgres'
const isRoot = process.getuid?.() === 0

/** The command that runs another as somebody who is not root: PostgreSQL and PgBouncer refuse to be. */
export function asUser(command: readonly string[]): readonly string[] {
  return isRoot ? ['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups', '--', ...command] : command
}

/** Gives a directory, and a file in it, to whom `asUser` runs as. */
export function giveToUser(...paths: readonly string[]): void {
  if (!isRoot) return
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${USER}:`))
  const [, , uid, gid] = line?.split(':') ?? []
  if (uid === undefined) throw new Error(`there is no user ${USER}`)
  for (const path of paths) {
    chownSync(path, Number(uid), Number(gid))
    chmodSync(path, 0o700)
  }
}

/** @throws Error when a program is not installed */
export function requireProgram(name: string, path: string | null): string {
  if (path === null) throw new Error(`${name} is not installed`)
  return path
}
