/** Options from environment variables. An empty variable counts as unset. */
import type { Layer } from './layers.ts'
import type { Report } from './mistakes.ts'
import { suggest } from './suggest.ts'

export type EnvironmentVariables = Readonly<Record<string, string | undefined>>

/** Several values in one variable: `newest,older`. */
function splitList(value: string): readonly string[] {
  return value.split(',').map((part) => part.trim())
}

function oneOrList(value: string): string | readonly string[] {
  return value.includes(',') ? splitList(value) : value
}

interface Variable {
  readonly option: string
  readonly read: (value: string) => unknown
}

const VARIABLES: Readonly<Record<string, Variable>> = {
  MACHINE_AUTH_SECRET: { option: 'secret', read: oneOrList },
  MACHINE_AUTH_MASTER_KEY: { option: 'masterKey', read: oneOrList },
  MACHINE_AUTH_DATABASE: { option: 'database', read: (value) => value },
  MACHINE_AUTH_REDIS: { option: 'redis', read: (value) => value },
  MACHINE_AUTH_PREFIX: { option: 'prefix', read: (value) => value },
  MACHINE_AUTH_TRUST_PROXY: { option: 'trustProxy', read: (value) => ({ from: splitList(value) }) },
  MACHINE_AUTH_LOGGING: { option: 'logging', read: (mode) => ({ mode }) },
}

const PREFIX = 'MACHINE_AUTH_'

/** Whether the process runs in development: `NODE_ENV` is unset, `development` or `test`. All else is production. */
export function isDevelopment(env: EnvironmentVariables): boolean {
  return ['', 'development', 'test'].includes(env.NODE_ENV ?? '')
}

/** Reads the variables of the library; others of its prefix get a warning when they look misspelled. */
export function readEnvironment(env: EnvironmentVariables, report: Report): Layer {
  const options: Record<string, unknown> = {}
  const names: Record<string, string> = {}
  for (const [name, { option, read }] of Object.entries(VARIABLES)) {
    const value = env[name]
    if (value === undefined || value === '') continue
    options[option] = read(value)
    names[option] = name
  }
  for (const name of Object.keys(env)) {
    if (!name.startsWith(PREFIX) || Object.hasOwn(VARIABLES, name) || (env[name] ?? '') === '') continue
    // Not a mistake: Kubernetes invents MACHINE_AUTH_PORT and the like for a service named machine-auth.
    const near = suggest(
      name.slice(PREFIX.length),
      Object.keys(VARIABLES).map((known) => known.slice(PREFIX.length)),
    )
    if (near !== undefined) report.warn(`The environment variable ${name} is not read. Did you mean ${PREFIX}${near}?`)
  }
  return { options, sourceOf: (option) => names[option] }
}
