/** `machine-auth routes`: the routes of an app with their guards. */
import type { Command } from 'commander'
import type { RoutesOptions } from './actions/show-routes.ts'
import { withExamples } from './help.ts'
import type { Cli } from './with-core.ts'

export function addRoutesCommand(program: Command, cli: Cli): void {
  const command = program
    .command('routes')
    .description('list the routes of an app with their guards')
    .requiredOption('--app <file>', 'the module that exports the app')
    .option('--fail-on-unguarded', 'exit 1 when a route has neither a guard nor public: true')
    .action(async (options: RoutesOptions, self: Command) => {
      const { showRoutes } = await import('./actions/show-routes.ts')
      await showRoutes(cli, options, self)
    })
  withExamples(command, 'routes --app src/server.ts', 'routes --app src/server.ts --fail-on-unguarded')
}
