/**
 * The shape of `MachineAuthOptions` at run time. Every node says in `accepted` what it takes, for messages; `check`
 * nodes also hold what a type cannot say.
 */
import { Type } from '@sinclair/typebox'
import type { DurationInput } from '../lib/duration.ts'
import { isLockout, LOCKOUT_ACCEPTED } from '../lib/lockout-end.ts'
import { NAME_PATTERN, SEGMENT_PATTERN } from '../lib/names.ts'
import { DATABASE_ACCEPTED, isDatabase } from './database.ts'
import { type HashKind, isHashKind } from './hash-kind.ts'
import { defaultLimitSchema, MAX_LIMIT, positiveDuration, STRATEGY } from './limit-policy.ts'
import * as is from './predicates.ts'
import type { RequestLogSink } from './recording-types.ts'
import { isRedis, REDIS_ACCEPTED } from './redis.ts'
import { check, cidrs, duration, fn, group, list, oneOf, record, whole } from './schema-kinds.ts'
import type { DatabaseOption, MachineAuthOptions, ProtectRule, UsersOption } from './types.ts'

const flag = oneOf(true)
const cidr = check<string>("an address or range such as '10.0.0.0/8' or '2001:db8::/32'", is.isCidr)
const secrets = check<string | readonly string[]>(
  'a text of at least 32 random bytes, or a list of such texts, newest first',
  is.isTextOrTexts,
)
const permission = check<string>("a permission name such as 'users.view'", is.isPermission)
const grants = list(
  'a list of permissions',
  check<string>("a permission name such as 'users.view', or a wildcard: 'users.*', '*'", is.isGrant),
)
const roleName = check<string>("the name of another role, such as 'editor'", is.isRoleName)
const mountPath = check<string>("a path such as '/auth', without a slash at the end or a wildcard", is.isMountPath)
const rateLimit = Type.Object(
  {
    limit: whole(1, MAX_LIMIT),
    window: check<string>("a duration text above zero such as '1m'", is.isWindow),
  },
  { additionalProperties: false, accepted: "an object { limit, window } such as { limit: 60, window: '1m' }" },
)
const demands = {
  apiKey: flag,
  bearerToken: flag,
  session: flag,
  currentUser: flag,
  masterKey: flag,
  requireRole: check<string | readonly string[]>("a role name or a list of them, such as 'admin'", is.isRoleOrRoles),
  requirePermission: check<NonNullable<ProtectRule['require']['requirePermission']>>(
    "a permission name, a list of them, or { any: [...] }, such as 'users.view'",
    is.isPermissionRequirement,
  ),
}
const requirement = Type.Partial(Type.Object(demands, { additionalProperties: false, minProperties: 1 }), {
  accepted: `an object with at least one of ${Object.keys(demands).join(', ')}`,
})
const rule = Type.Object(
  {
    path: check<string>("a path such as '/api' or '/api/*', without other wildcards", is.isPathRule),
    require: requirement,
  },
  { additionalProperties: false, accepted: 'an object { path, require }' },
)
const verbs = list(
  "a list of 'get', 'post', 'put', 'patch', 'delete'",
  oneOf('get', 'post', 'put', 'patch', 'delete'),
  1,
)

export const optionsSchema = group({
  secret: secrets,
  masterKey: secrets,
  masterKeyAddresses: cidrs,
  management: Type.Union([Type.Literal(false), group({})], { accepted: 'false or {}' }),
  tokens: Type.Union([Type.Literal(false), group({})], { accepted: 'false or {}' }),
  migrate: oneOf('auto', 'check'),
  permissions: list('a list of permission names', permission),
  users: group({
    load: fn<NonNullable<UsersOption<object>['load']>>('a function (id) => user or null'),
    findByEmail: fn<NonNullable<UsersOption<object>['findByEmail']>>('a function (email) => { id } or null'),
    verifyPassword: fn<NonNullable<UsersOption<object>['verifyPassword']>>('a function (user, password) => boolean'),
  }),
  bearer: Type.Object(
    { verify: fn<NonNullable<MachineAuthOptions['bearer']>['verify']>('a function (token) => verification or null') },
    { additionalProperties: false, accepted: 'an object { verify }' },
  ),
  claims: fn<NonNullable<MachineAuthOptions['claims']>>('a function (user) => claims'),
  onDenied: fn<NonNullable<MachineAuthOptions['onDenied']>>('a function (error, context) => Response or undefined'),
  database: check<DatabaseOption>(DATABASE_ACCEPTED, isDatabase),
  postgres: group({
    poolSize: whole(1, 1000),
    timeout: positiveDuration,
    prepare: oneOf(true, false),
    ca: check<string>('the path of a file with certificates', is.isText),
  }),
  redis: check<string>(REDIS_ACCEPTED, isRedis),
  cluster: group({
    name: check<string>('1 to 64 letters, digits, - and _', is.isClusterName),
    limits: oneOf('shared', 'local'),
    processes: whole(1, 100_000),
    withoutRedis: oneOf('local', 'refuse'),
    redisTimeout: positiveDuration,
    staleness: duration,
  }),
  prefix: mountPath,
  docs: Type.Union([Type.Literal(false), group({ path: mountPath })], { accepted: 'false or an object { path }' }),
  apiKeys: group({
    prefix: check<string>('2 to 16 lower-case letters and digits, a letter first', is.isKeyPrefix),
    headers: list(
      'a list of header names',
      check<string>('a header name that is free, such as x-api-key', is.isFreeHeader),
    ),
    schemes: list(
      'a list of Authorization schemes',
      check<string>("an Authorization scheme other than Basic, such as 'ApiKey'", is.isScheme),
    ),
    cacheTtl: duration,
    cacheSize: whole(1, 100_000_000),
    defaultPermissions: grants,
    defaultRateLimit: Type.Union([Type.Literal(false), rateLimit], {
      accepted: "false or an object { limit, window } such as { limit: 60, window: '1m' }",
    }),
    expiryWarning: duration,
    onExpiring: fn<NonNullable<NonNullable<MachineAuthOptions['apiKeys']>['onExpiring']>>('a function (key) => void'),
    importKinds: list(
      'a list of hash kinds',
      check<HashKind>(
        'a hash kind such as sha256(), or an object { name, isSlow, lookupOf, parse, verify }',
        isHashKind,
      ),
    ),
  }),
  jwt: group({
    algorithm: oneOf('EdDSA', 'ES256', 'HS256'),
    issuer: check<string>('a text of 1 to 256 characters', is.isText),
    audience: check<string>('a text of 1 to 256 characters', is.isText),
    accessTtl: duration,
    refreshTtl: duration,
    refreshReuseWindow: duration,
    clockTolerance: duration,
  }),
  sessions: group({
    cookie: check<string>('a cookie name of 1 to 64 letters, digits, - and _', is.isCookieName),
    ttl: duration,
    idleTtl: duration,
    sameSite: oneOf('lax', 'strict', 'none'),
    secure: oneOf(true, false),
    trustedOrigins: list(
      'a list of origins',
      check<string>("an origin such as 'https://app.example', without path or slash at the end", is.isOrigin),
    ),
  }),
  roles: record(
    NAME_PATTERN,
    "a role name of lower-case letters, digits, '_', '-', with '.' between segments",
    'an object of roles, each with a list of permissions',
    Type.Union(
      [
        grants,
        Type.Object(
          { permissions: grants, inherits: Type.Optional(list('a list of role names', roleName)) },
          { additionalProperties: false, accepted: 'an object { permissions, inherits? }' },
        ),
      ],
      { accepted: 'a list of permissions, or an object { permissions, inherits? }' },
    ),
  ),
  modules: record(
    NAME_PATTERN,
    "a module name of lower-case letters, digits, '_', '-', with '.' between segments",
    'an object of modules { label?, crud?, actions? }',
    group({
      label: check<string>('a text of 1 to 256 characters', is.isText),
      crud: list("a list of 'view', 'create', 'update', 'delete'", oneOf('view', 'create', 'update', 'delete')),
      actions: record(
        SEGMENT_PATTERN,
        "an action name of lower-case letters, digits, '_', '-'",
        'an object of actions, each with a list of methods',
        verbs,
      ),
    }),
  ),
  trustProxy: Type.Union(
    [
      Type.Literal(false),
      Type.Object(
        {
          from: list('a list of addresses and ranges of your proxies, at least one', cidr, 1),
          header: Type.Optional(
            check<string>("one header name such as 'x-forwarded-for' or 'forwarded'", is.isFreeHeader),
          ),
        },
        { additionalProperties: false, accepted: 'an object { from, header? }' },
      ),
    ],
    { accepted: "false or an object { from, header? } such as { from: ['10.0.0.0/8'] }" },
  ),
  rateLimit: group({
    strategy: STRATEGY,
    default: defaultLimitSchema,
    headers: oneOf<'both' | 'ietf' | 'x' | false>('both', 'ietf', 'x', false),
    login: rateLimit,
    maxSubjects: whole(1000, 100_000_000),
  }),
  abuse: Type.Union(
    [
      Type.Literal(false),
      group({
        threshold: whole(1, MAX_LIMIT),
        window: positiveDuration,
        blockFor: check<DurationInput>(LOCKOUT_ACCEPTED, isLockout),
        allow: cidrs,
      }),
    ],
    { accepted: 'false or an object { threshold, window, blockFor, allow }' },
  ),
  audit: group({ retention: positiveDuration }),
  usage: Type.Union(
    [
      Type.Literal(false),
      group({
        flushInterval: positiveDuration,
        batchSize: whole(1, 10_000),
        durability: oneOf('buffered', 'journaled'),
        journal: check<string>('a directory', is.isText),
        retention: positiveDuration,
        dailyRetention: positiveDuration,
      }),
    ],
    { accepted: 'false or an object { flushInterval, batchSize, durability, journal, retention, dailyRetention }' },
  ),
  logging: group({
    mode: oneOf('off', 'metadata_only', 'redacted', 'raw'),
    retention: positiveDuration,
    maxBody: whole(0, 1_048_576),
    redact: list('a list of names', check<string>('a text of 1 to 256 characters', is.isText)),
    unsafeRaw: oneOf(true, false),
    sink: check<RequestLogSink>('an object { write } with a function (batch)', is.isSink),
  }),
  metrics: Type.Union([Type.Literal(false), group({ open: oneOf(true, false) })], {
    accepted: 'false or an object { open }',
  }),
  shutdown: Type.Union([Type.Literal(false), group({ delay: duration, timeout: duration })], {
    accepted: 'false or an object { delay, timeout }',
  }),
  protect: list('a list of rules { path, require }', rule),
  hideCredentials: oneOf(true, false),
})
