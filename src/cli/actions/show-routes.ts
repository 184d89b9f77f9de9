/** What `machine-auth routes` does. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Command } from 'commander'
import { internalsOf } from '../../guards/elysia-internals.ts'
import { formatRoutes, listRoutes } from '../../guards/listing.ts'
import type { RouteDescription } from '../../guards/routes.ts'
import { CommandError } from '../errors.ts'
import { type Cli, outputOf } from '../with-core.ts'

export interface RoutesOptions {
  readonly app: string
  readonly failOnUnguarded?: true
}

/** An app has a router that kept its routes; other exports of a module have not. */
function isApp(value: unknown): value is object {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  return 'router' in value && Array.isArray(internalsOf(value).router?.history)
}

async function loadApps(path: string): Promise<readonly object[]> {
  let module: object
  try {
    module = await import(pathToFileURL(path).href)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CommandError(`${path} does not load: ${reason}`)
  }
  const apps = [...new Set(Object.values(module).filter(isApp))]
  if (apps.length > 0) return apps
  throw new CommandError(
    `${path} exports no Elysia app: write "export const app = new Elysia()…" or export it as default.`,
  )
}

/** A module that listens when it is loaded would keep on serving. */
async function stop(app: object): Promise<void> {
  await internalsOf(app).server?.stop(true)
}

function isUnguarded({ guards, isPublic }: RouteDescription): boolean {
  return guards.length === 0 && !isPublic
}

export async function showRoutes(
  cli: Cli,
  { app: file, failOnUnguarded }: RoutesOptions,
  self: Command,
): Promise<void> {
  const output = outputOf(cli, self)
  const apps = await loadApps(resolve(cli.io.cwd, file))
  const items = apps.flatMap(listRoutes)
  await Promise.all(apps.map(stop))
  if (output.isJson) output.json({ items, nextCursor: null })
  else output.line(formatRoutes(items))
  const forgotten = items.filter(isUnguarded)
  if (forgotten.length === 0 || !failOnUnguarded) return
  cli.exitCode = 1
  output.note(`${forgotten.length} without a guard: add one, or public: true.`)
  for (const { method, path } of forgotten) output.note(`  ${method} ${path}`)
}
