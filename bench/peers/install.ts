/** Installs the peers, which nothing but their comparison needs, in their own folder, and checks what uses them. */
import type { Report } from '../report.ts'
import { readPeerVersions, WANTED } from './versions.ts'

/**
 * Installs what the lock file names, unless it is there.
 *
 * @throws Error when it cannot be installed
 */
export async function installPeers(report: Pick<Report, 'progress'>): Promise<void> {
  const installed = readPeerVersions()
  if (Object.entries(WANTED).every(([name, version]) => installed[name] === version)) return
  report.progress('peers: installing them, for the bench only')
  const install = Bun.spawn([process.execPath, 'install', '--frozen-lockfile', '--ignore-scripts'], {
    cwd: import.meta.dir,
    stdout: 'ignore',
    stderr: 'pipe',
  })
  const [said, code] = await Promise.all([new Response(install.stderr).text(), install.exited])
  if (code !== 0) throw new Error(`The peers could not be installed:\n${said}`)
}

/**
 * Holds the servers to the types of the peers and of ours, without which they would only be found broken when measured.
 *
 * @throws Error when one of them does not fit
 */
export async function checkTypes(report: Pick<Report, 'progress'>): Promise<void> {
  report.progress('peers: checking the types of their servers')
  const tsc = Bun.spawn([process.execPath, 'x', '--no-install', 'tsc', '-p', import.meta.dir], { stderr: 'pipe' })
  const [mistakes, code] = await Promise.all([new Response(tsc.stdout).text(), tsc.exited])
  if (code !== 0) throw new Error(`The servers of the peers have mistakes of type: ${mistakes.trim()}`)
}
