/** Options from `machine-auth.config.ts` or `machine-auth.config.json` in the working directory. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Layer } from './layers.ts'
import type { Report } from './mistakes.ts'
import { copyMembers } from './plain.ts'

const TYPESCRIPT = 'machine-auth.config.ts'
const JSON_FILE = 'machine-auth.config.json'

function readTypeScript(path: string): unknown {
  const loaded: unknown = require(path)
  return typeof loaded === 'object' && loaded !== null && 'default' in loaded ? loaded.default : undefined
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8').replace(/^\ufeff/, ''))
}

interface ConfigFile {
  readonly name: string
  readonly read: (path: string) => unknown
  readonly accepted: string
}

const FILES: readonly ConfigFile[] = [
  { name: TYPESCRIPT, read: readTypeScript, accepted: 'a module with `export default defineConfig({ ... })`' },
  { name: JSON_FILE, read: readJson, accepted: 'a JSON object of options' },
]

function load(file: ConfigFile, cwd: string, report: Report): object | null {
  try {
    const options = file.read(join(cwd, file.name))
    if (typeof options === 'object' && options !== null && !Array.isArray(options)) return options
    report.addSource(file.name, 'no object of options', file.accepted)
  } catch (error) {
    // Its text may quote the file, and with it a secret: it stays in the cause of a module's own error.
    const cause = file.name === JSON_FILE ? undefined : error
    report.addSource(file.name, 'a file that does not load', `${file.accepted}, without top-level await`, cause)
  }
  return null
}

/**
 * Loads the config file, synchronously.
 *
 * @param cwd the directory to look in
 * @returns null when there is none, or it is wrong, which is reported
 */
export function loadConfigFile(cwd: string, report: Report): Layer | null {
  const [file, second] = FILES.filter(({ name }) => existsSync(join(cwd, name)))
  if (file === undefined) return null
  if (second !== undefined) {
    report.addSource(second.name, `a second config file beside ${file.name}`, 'one of them: remove the other')
    return null
  }
  const options = load(file, cwd, report)
  return options === null ? null : { options: copyMembers(options), sourceOf: () => file.name }
}
