/** What `machine-auth serve` does. */
import { Elysia } from 'elysia'
import { internalsOfCore } from '../../core-internals.ts'
import { stopServing } from '../../life/stopping.ts'
import { machineAuth } from '../../plugin.ts'
import { CommandError, UsageError } from '../errors.ts'
import type { Session } from '../with-core.ts'

export interface ServeOptions {
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

function describeListening(error: unknown, { hostname }: ServeOptions, port: number): string {
  const where = `Cannot listen on ${hostname}, port ${port}`
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    return `${where}: it is in use. Choose another one with --port, or stop what listens there.`
  }
  return `${where}: ${error instanceof Error ? error.message : String(error)}`
}

export async function serve({ core, io, output }: Session, options: ServeOptions): Promise<void> {
  const port = portOf(options, io.env.PORT)
  const app = new Elysia().use(machineAuth(core))
  const stopped = io.untilStopped()
  try {
    // Elysia lets processes share a port unless told not to: a second one would take half of the requests.
    app.listen({ port, hostname: options.hostname, reusePort: false })
  } catch (error) {
    throw new CommandError(describeListening(error, options, port))
  }
  const url = `http://${options.hostname.includes(':') ? `[${options.hostname}]` : options.hostname}:${app.server?.port}`
  if (output.isJson) output.json({ url })
  else output.line(`Listening on ${url}`)
  await stopped
  // What the plugin does on the same signal, and waits for it; only the end is left to the command.
  await stopServing(internalsOfCore(core).stoppable, [app])
}
