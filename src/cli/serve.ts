/** `machine-auth serve`: the endpoints alone, for services that are not Elysia apps. */
import type { Command } from 'commander'
import { Elysia } from 'elysia'
import { machineAuth } from '../plugin.ts'
import { CommandError, UsageError } from './errors.ts'
import { withExamples } from './help.ts'
import { parseWhole } from './input/values.ts'
import { type Cli, type Session, withCore } from './session.ts'

interface ServeOptions {
  readonly port?: number
  readonly hostname: string
}

const DEFAULT_PORT = 3000
const HIGHEST_PORT = 65_535

function portOf({ port }: ServeOptions, variable: string | undefined): number {
  const wanted = port ?? (variable === undefined || variable === '' ? DEFAULT_PORT : Number(variable))
  if (Number.isInteger(wanted) && wanted >= 0 && wanted <= HIGHEST_PORT) return wanted
  throw new UsageError(`the port must be a whole number from 0 to ${HIGHEST_PORT}`)
}

async function serve({ core, io, output }: Session, options: ServeOptions): Promise<void> {
  const port = portOf(options, io.env.PORT)
  const app = new Elysia().use(machineAuth(core))
  const stopped = io.untilStopped()
  try {
    app.listen({ port, hostname: options.hostname })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CommandError(`Cannot listen on ${options.hostname}, port ${port}: ${reason}`)
  }
  const url = `http://${options.hostname.includes(':') ? `[${options.hostname}]` : options.hostname}:${app.server?.port}`
  if (output.isJson) output.json({ url })
  else output.line(`Listening on ${url}`)
  await stopped
  await app.stop()
}

export function addServeCommand(program: Command, cli: Cli): void {
  const command = program
    .command('serve')
    .description('serve the endpoints alone, for services that are not Elysia apps, until SIGTERM or SIGINT')
    .option('--port <n>', 'default: PORT, or 3000; 0 for any free one', parseWhole)
    .option('--hostname <name>', 'the address to listen on; 0.0.0.0 for all', '127.0.0.1')
    .action((options: ServeOptions, self: Command) => withCore(cli, self, (session) => serve(session, options)))
  withExamples(command, 'serve', 'serve --port 8080 --hostname 0.0.0.0')
}
