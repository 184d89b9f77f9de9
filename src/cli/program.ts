/** The commands of `machine-auth`. */
import { Command } from 'commander'
import { version } from '../../package.json'
import { addAuditCommands } from './audit.ts'
import { addBlockCommands } from './block.ts'
import { addDoctorCommand } from './doctor.ts'
import { withExamples } from './help.ts'
import { addInitCommand } from './init.ts'
import { addKeyCommands } from './key.ts'
import { addLogCommands } from './logs.ts'
import { addMigrateCommand } from './migrate.ts'
import { addOrganizationCommands } from './org.ts'
import { addPermissionCommands } from './permissions.ts'
import { addPurgeCommand } from './purge.ts'
import { addRoleCommands } from './role.ts'
import { addRoutesCommand } from './routes.ts'
import { addSecretCommands } from './secret.ts'
import { addServeCommand } from './serve.ts'
import { addGlobalOptions } from './settings.ts'
import { addStatsCommand } from './stats.ts'
import { addUserCommands } from './user.ts'
import { addSessionCommands } from './user-sessions.ts'
import type { Cli } from './with-core.ts'

/** Of help where output goes to a file or another program. */
const HELP_WIDTH = 100

const FOOTER =
  'Settings come from --database, machine-auth.config.ts or .json in this directory, and the environment (MACHINE_AUTH_DATABASE, MACHINE_AUTH_SECRET …). Exit codes: 0 done, 1 failed, 2 called in a wrong way.'

/** In the order in which help lists them. */
const GROUPS: readonly ((program: Command, cli: Cli) => void)[] = [
  addInitCommand,
  addServeCommand,
  addMigrateCommand,
  addDoctorCommand,
  addOrganizationCommands,
  addUserCommands,
  addSessionCommands,
  addKeyCommands,
  addRoleCommands,
  addPermissionCommands,
  addBlockCommands,
  addAuditCommands,
  addStatsCommand,
  addLogCommands,
  addPurgeCommand,
  addRoutesCommand,
  addSecretCommands,
]

/** Builds the program; nothing runs before `parseAsync`. */
export function createProgram(cli: Cli): Command {
  const { stdout, stderr, columns } = cli.io
  const program = new Command('machine-auth')
    .description('Manages API keys, users, organizations and roles of elysia-machine-auth.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      // Said by `runCli`, which leaves out what may be a secret.
      outputError: () => undefined,
      getOutHelpWidth: () => columns ?? HELP_WIDTH,
      getErrHelpWidth: () => columns ?? HELP_WIDTH,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText('after', ({ command }) => `\n${command.createHelp().boxWrap(FOOTER, columns ?? HELP_WIDTH)}`)
  addGlobalOptions(program)
  for (const add of GROUPS) add(program, cli)
  return withExamples(
    program,
    'init --admin alice@example.com',
    'key create --name CI --expires 90d',
    'key list --json',
  )
}
