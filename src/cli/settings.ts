/** The options that every command has, and the core they lead to. */
import type { Command } from 'commander'
import { type AnyMachineAuth, createMachineAuth, type Runtime } from '../core.ts'
import type { MachineAuthOptions } from '../options/types.ts'
import { SECRET_VARIABLES } from './input/secret.ts'
import type { CliIo } from './terminal/io.ts'
import { withoutControls } from './terminal/text.ts'

export interface GlobalSettings {
  readonly database?: string
  readonly redis?: string
  readonly json?: true
}

/** They may stand before and after the command. */
export function addGlobalOptions(program: Command): Command {
  return program
    .option('--database <url>', 'sqlite:FILE or postgres://…, instead of the configured one')
    .option('--redis <url>', 'redis://… or rediss://…, instead of the configured one')
    .option('--json', 'answer as JSON, in the shapes of the HTTP answers')
}

export function readGlobals(command: Command): GlobalSettings {
  return command.optsWithGlobals<GlobalSettings>()
}

function holdsPassword(url: string | undefined): boolean {
  return url !== undefined && URL.canParse(url) && new URL(url).password !== ''
}

/** Options of the command line that others could read a password from, and where it belongs. */
const VARIABLES = [
  ['database', 'MACHINE_AUTH_DATABASE'],
  ['redis', 'MACHINE_AUTH_REDIS'],
] as const

/** What deserves a look in the settings of this call. */
export function warningsOf(globals: GlobalSettings): readonly string[] {
  return VARIABLES.filter(([option]) => holdsPassword(globals[option])).map(
    ([option, variable]) =>
      `--${option} has a password, which others can see in the list of processes: set ${variable} instead.`,
  )
}

/** Options given on the command line, which go before all others. */
export function optionsOf({ database, redis }: GlobalSettings): MachineAuthOptions {
  return { ...(database === undefined ? {} : { database }), ...(redis === undefined ? {} : { redis }) }
}

/** What is read of the environment: without the secrets that are meant for the command line only. */
export function environmentOf({ env, cwd }: Pick<CliIo, 'env' | 'cwd'>): Required<Pick<Runtime, 'env' | 'cwd'>> {
  const own = new Set<string>(SECRET_VARIABLES)
  return { env: Object.fromEntries(Object.entries(env).filter(([name]) => !own.has(name))), cwd }
}

/** Writes a warning where warnings go. */
export function warn({ stderr }: Pick<CliIo, 'stderr'>, message: string): void {
  stderr.write(`machine-auth: ${withoutControls(message)}\n`)
}

/**
 * Opens the core that config file, environment and command line lead to.
 *
 * @throws OptionsError with one line per mistake
 */
export function openCore(io: CliIo, globals: GlobalSettings): AnyMachineAuth {
  for (const warning of warningsOf(globals)) warn(io, warning)
  return createMachineAuth<string>(optionsOf(globals), {
    ...environmentOf(io),
    clock: io.clock,
    warn: (message) => warn(io, message),
  })
}
