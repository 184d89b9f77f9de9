/** What config file, environment and command line lead to, for those who need less than a core. */
import { loadConfigFile } from '../options/config-file.ts'
import { readEnvironment } from '../options/environment.ts'
import { Report } from '../options/mistakes.ts'
import { resolveOptions } from '../options/resolve.ts'
import type { ResolvedOptions } from '../options/resolved.ts'
import { makeSecret } from '../options/secret-file.ts'
import { environmentOf, type GlobalSettings, optionsOf } from './settings.ts'
import type { CliIo } from './terminal/io.ts'

/** Where an option is given, config file first; null for nowhere. */
export function sourceOfOption(io: Pick<CliIo, 'env' | 'cwd'>, option: string): string | null {
  const { env, cwd } = environmentOf(io)
  // What is wrong with them is told by whoever resolves the options.
  const layers = [loadConfigFile(cwd, new Report()), readEnvironment(env, new Report())]
  const layer = layers.find((each) => each !== null && Object.hasOwn(each.options, option))
  return layer?.sourceOf(option) ?? null
}

/**
 * The database that config file, environment and command line lead to, and how it is reached. Needs no secret, and
 * makes none.
 *
 * @throws OptionsError with one line per mistake
 */
export function databaseOf(io: CliIo, globals: GlobalSettings): Pick<ResolvedOptions, 'database' | 'postgres'> {
  return resolveOptions({ ...optionsOf(globals), secret: makeSecret() }, environmentOf(io))
}
