/** The OpenAPI document of an app: what `@elysiajs/swagger` makes of its routes, and what their guards demand. */
import type { ErrorCode } from '../errors.ts'
import type { AppInternals } from '../guards/elysia-internals.ts'
import type { LimitHeaders } from '../limits/headers.ts'
import type { ProtectRule } from '../options/types.ts'
import { type Combination, combinationsOf } from './combinations.ts'
import { documentedApp } from './elysia-routes.ts'
import { describeGuards, type GuardDescription } from './guard-security.ts'
import { describeLimits, hasLockout, hasRate } from './limit-notes.ts'
import type { OpenApiDocument, Operation, ResponseObject } from './openapi.ts'
import { cleanOperation } from './operation-cleanup.ts'
import { type IsListed, operationsOf, type RouteOperation } from './operations.ts'
import { DEFAULT_TITLE } from './page.ts'
import { ProblemResponses } from './problems.ts'
import { SchemaCleaner } from './schemas.ts'
import { type SecuritySettings, securitySchemesOf } from './security-schemes.ts'
import { copyModels, type SwaggerRoute, swaggerRouteOf } from './swagger-routes.ts'

export interface DocumentSettings extends SecuritySettings {
  readonly info?: { readonly title?: string; readonly version?: string; readonly description?: string }
  /** The app's rules, which guard routes without a mark on them. */
  readonly protect?: readonly ProtectRule[]
  /** Which headers say how a limit stands. Default `'both'`. */
  readonly limitHeaders?: LimitHeaders
}

type Paths = Record<string, Record<string, Operation>>

/** Runs `@elysiajs/swagger` over some routes, in an app of its own that nobody else sees. */
async function generatePaths(
  routes: readonly SwaggerRoute[],
  models: Readonly<Record<string, object>>,
): Promise<Paths> {
  const { swagger } = await import('@elysiajs/swagger')
  const generator = swagger({ path: '/page', specPath: '/json', excludeStaticFile: false })
  Object.assign(generator, {
    getGlobalRoutes: () => routes,
    getGlobalDefinitions: () => ({ type: models, error: {} }),
  })
  const response = await generator.handle(new Request('http://localhost/json'))
  if (!response.ok) throw new Error(`@elysiajs/swagger failed: ${await response.text()}`)
  const document = (await response.json()) as { readonly paths: Paths }
  return document.paths
}

/** Gives an operation an id that no other has, of characters that code generators take. */
function nameOperation(operation: Operation, taken: Set<string>): void {
  const wanted = (operation.operationId ?? 'operation').replaceAll(/[^A-Za-z0-9_-]+/g, '_')
  let id = wanted
  for (let number = 2; taken.has(id); number += 1) id = `${wanted}_${number}`
  taken.add(id)
  operation.operationId = id
}

const WEBSOCKET_NOTE = 'Opens a WebSocket: a request with `Upgrade: websocket`.'

interface DocumentParts {
  readonly settings: DocumentSettings
  readonly combinations: readonly Combination[]
  readonly cleaner: SchemaCleaner
  readonly problems: ProblemResponses
}

/** `detail: { 'x-problems': [401] }`: refusals of a route besides those of its guards. */
function problemsOf(operation: Operation): readonly number[] {
  const given = operation['x-problems']
  return Array.isArray(given) ? given.filter((status) => Number.isInteger(status)) : []
}

/** The 429 to show: of its limits, else of a key's own, else of what only logins have. */
function limitedAs({ limits }: RouteOperation, takesApiKey: boolean): ErrorCode {
  if (hasLockout(limits)) return 'locked_out'
  return limits.length > 0 || takesApiKey ? 'rate_limited' : 'locked_out'
}

/** What a route refuses with besides what it declares itself. */
function refusalsOf(
  generated: Operation,
  route: RouteOperation,
  guarded: GuardDescription | null,
  { problems, settings }: DocumentParts,
): Record<string, ResponseObject> {
  const takesApiKey = guarded?.takesApiKey ?? false
  const isLimited = takesApiKey || route.limits.length > 0
  const isTold = takesApiKey || hasRate(route.limits)
  const shown = {
    forbidden: guarded?.forbidden,
    limited: limitedAs(route, takesApiKey),
    limitHeaders: isTold ? (settings.limitHeaders ?? 'both') : false,
  }
  // Whom a guard asks for is looked up, and what a limit counts may be counted elsewhere.
  const mayBeAway = guarded !== null || isLimited
  const statuses = [
    ...(guarded?.statuses ?? []),
    ...(isLimited ? [429] : []),
    ...(mayBeAway ? [503] : []),
    ...problemsOf(generated),
  ]
  return Object.fromEntries(statuses.map((status) => [status, problems.responseOf(status, shown)]))
}

function documentOperation(generated: Operation, route: RouteOperation, parts: DocumentParts): Operation {
  const { 'x-problems': _, ...operation } = cleanOperation(generated, route, parts.cleaner)
  const guarded = describeGuards(route, parts.combinations, parts.settings.masterKeyEnabled)
  const texts = [
    operation.description,
    route.isWebSocket ? WEBSOCKET_NOTE : undefined,
    guarded?.sentence,
    describeLimits(route.limits),
  ]
  const description = texts.filter((text) => text !== undefined && text !== '').join('\n\n')
  return {
    ...operation,
    ...(description === '' ? {} : { description }),
    ...(route.isWebSocket ? { 'x-websocket': true } : {}),
    ...(route.isPublic ? { security: [] } : {}),
    ...guarded?.members,
    responses: { ...refusalsOf(generated, route, guarded, parts), ...operation.responses },
  }
}

/**
 * Makes the document.
 *
 * @param app whose routes it describes
 */
export async function createDocument(
  app: AppInternals,
  settings: DocumentSettings,
  isListed: IsListed,
): Promise<OpenApiDocument> {
  const documented = documentedApp(app)
  const models = copyModels(documented.definitions.type)
  const routes = operationsOf(documented, settings.protect ?? [], isListed)
  const generated = await generatePaths(
    routes.map((route) => swaggerRouteOf(route, models)),
    models,
  )
  const parts: DocumentParts = {
    settings,
    combinations: combinationsOf({
      keyHeader: settings.keyHeaders.length > 0,
      keyAsBearer: settings.schemes.includes('bearer'),
      masterKey: settings.masterKeyEnabled,
    }),
    cleaner: new SchemaCleaner(),
    problems: new ProblemResponses(Object.keys(models)),
  }
  const paths: Paths = {}
  const ids = new Set<string>()
  for (const route of routes) {
    const method = route.method.toLowerCase()
    const operation = documentOperation(generated[route.path]?.[method] ?? {}, route, parts)
    nameOperation(operation, ids)
    paths[route.path] = { ...paths[route.path], [method]: operation }
  }
  const schemas = parts.cleaner.cleanModels(models)
  const { problems } = parts
  return {
    openapi: '3.1.0',
    info: { title: DEFAULT_TITLE, version: '0.0.0', ...settings.info },
    paths,
    components: {
      schemas: { ...problems.schemas, ...parts.cleaner.found, ...schemas },
      ...(Object.keys(problems.responses).length === 0 ? {} : { responses: problems.responses }),
      securitySchemes: securitySchemesOf(settings),
    },
  }
}
