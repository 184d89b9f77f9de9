/** `machine-auth serve`: the endpoints alone, for services that are not Elysia apps. */
import type { Command } from 'commander'
import type { ServeOptions } from './actions/serve.ts'
import { withExamples } from './help.ts'
import { parseWhole } from './input/values.ts'
import { type Cli, withCore } from './with-core.ts'

export function addServeCommand(program: Command, cli: Cli): void {
  const command = program
    .command('serve')
    .description('serve the endpoints alone, for services that are not Elysia apps, until SIGTERM or SIGINT')
    .option('--port <n>', 'default: PORT, or 3000; 0 for any free one', parseWhole)
    .option('--hostname <name>', 'the address to listen on; 0.0.0.0 for all', '127.0.0.1')
    .action(async (options: ServeOptions, self: Command) => {
      const { serve } = await import('./actions/serve.ts')
      await withCore(cli, self, (session) => serve(session, options))
    })
  withExamples(command, 'serve', 'serve --port 8080 --hostname 0.0.0.0')
}
