/** `machine-auth doctor`: what is wrong, and how to mend it. */
import type { Command } from 'commander'
import { withExamples } from './help.ts'
import type { Cli } from './with-core.ts'

export function addDoctorCommand(program: Command, cli: Cli): void {
  const command = program
    .command('doctor')
    .description('check configuration, secrets, database, Redis, clock, files and proxies; exit 1 when something fails')
    .action(async (_: object, self: Command) => {
      const { examine } = await import('./actions/examine.ts')
      await examine(cli, self)
    })
  withExamples(command, 'doctor', 'doctor --json')
}
