/** `machine-auth permissions`: the names that keys, roles and guards may use. */
import type { Command } from 'commander'
import { withExamples } from './help.ts'
import { type Cli, withCore } from './session.ts'

export function addPermissionCommands(program: Command, cli: Cli): void {
  const group = program.command('permissions').description('the names that keys, roles and guards may use')
  const list = group
    .command('list')
    .description('list permissions')
    .action((_: object, self: Command) =>
      withCore(cli, self, async ({ core, output }) => {
        const names = core.permissions.list()
        output.list({ items: names.map((name) => ({ name })), nextCursor: null }, [
          { title: 'NAME', text: ({ name }) => name, isWhole: true },
        ])
      }),
    )
  withExamples(list, 'permissions list')
}
