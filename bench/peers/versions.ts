/** Which versions of the peers are installed. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import manifest from './package.json' with { type: 'json' }

export const WANTED: Readonly<Record<string, string>> = manifest.dependencies

/** Of a package in the folder of the peers; null where it is not installed. */
function installedVersionOf(name: string): string | null {
  const path = join(import.meta.dir, 'node_modules', name, 'package.json')
  if (!existsSync(path)) return null
  const { version } = JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }
  return version
}

/** Versions by package, as installed; what is not installed is left out. */
export function readPeerVersions(): Readonly<Record<string, string>> {
  const versions: Record<string, string> = {}
  for (const name of Object.keys(WANTED)) {
    const version = installedVersionOf(name)
    if (version !== null) versions[name] = version
  }
  return versions
}
