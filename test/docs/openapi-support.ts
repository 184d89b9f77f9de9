/** Apps with guards and documentation, over the table of credentials of the guards' tests. */
import { type AnyElysia, Elysia } from 'elysia'
import { PermissionSet } from '../../src/authorization/permission-set.ts'
import type { JsonObject, OpenApiDocument, Operation } from '../../src/docs/openapi.ts'
import { createDocs, type DocsSettings } from '../../src/docs/plugin.ts'
import type { EngineOptions } from '../../src/guards/engine.ts'
import { createGate } from '../../src/guards/gate.ts'
import { requireManagement, requirePrincipal } from '../../src/guards/requirements.ts'
import { ALICE, createTestPlugin, keyPrincipal, STANDARD, type Table } from '../support/guarded-app.ts'

export const SETTINGS: DocsSettings = {
  path: '/swagger',
  keyHeaders: ['x-api-key'],
  schemes: ['bearer', 'apikey'],
  cookieName: 'session_id',
  masterKeyEnabled: true,
}

/** A key that may do everything, of a user who may. */
export const ALLOWED_KEY = 'mac_live_alice'

const TABLE: Table = {
  ...STANDARD,
  keys: { ...STANDARD.keys, [ALLOWED_KEY]: keyPrincipal('key_9', { user: ALICE, granted: PermissionSet.ALL }) },
}

/** A plugin with guards, those of the management endpoints too, and documentation. */
export function createDocumented(settings: Partial<DocsSettings> | false = {}, more: Partial<EngineOptions> = {}) {
  const { plugin, engine } = createTestPlugin(TABLE, more)
  createDocs(settings === false ? false : { ...SETTINGS, ...settings }, () => engine.apps.roots())(plugin)
  return plugin
}

/** The guards of the management endpoints. */
export function createManagementGuards() {
  return new Elysia({ name: 'management', seed: crypto.randomUUID() })
    .macro('management', (permission: string) =>
      createGate({ name: 'management', value: permission }, (presented) => ({
        actor: requireManagement(presented, permission),
      })),
    )
    .macro('anyPrincipal', (_: true) =>
      createGate({ name: 'currentPrincipal', value: true }, (presented) => ({ actor: requirePrincipal(presented) })),
    )
}

export async function fetchDocument(app: AnyElysia, path = '/swagger/json'): Promise<OpenApiDocument> {
  const response: Response = await app.handle(new Request(`http://localhost${path}`))
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return (await response.json()) as OpenApiDocument
}

export function operationOf(document: OpenApiDocument, method: string, path: string): Operation {
  const operation = document.paths[path]?.[method]
  if (operation === undefined) throw new Error(`${method} ${path} is not in ${Object.keys(document.paths).join(' ')}`)
  return operation
}

/** The schema of a response's only media type. */
export function schemaOf(operation: Operation, status: number): JsonObject | undefined {
  const media = Object.values(operation.responses?.[status]?.content ?? {})
  return media.length === 1 ? (media[0]?.schema as JsonObject) : undefined
}
