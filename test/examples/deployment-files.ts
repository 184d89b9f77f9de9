/** The files of examples/deployment, read as what they are. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './support.ts'

export const DEPLOYMENT = join(ROOT, 'examples/deployment')

export function readDeployment(name: string): string {
  return readFileSync(join(DEPLOYMENT, name), 'utf8')
}

export interface Instruction {
  readonly name: string
  readonly text: string
  /** Which `FROM` it comes after, counted from 0. */
  readonly stage: number
}

/** The instructions of a Dockerfile; lines that go on are joined. */
export function readDockerfile(text: string): readonly Instruction[] {
  const lines = text.replaceAll(/^\s*#.*\n/gm, '').replaceAll(/\\\n\s*/g, '')
  let stage = -1
  return lines.split('\n').flatMap((line) => {
    const [, name = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? []
    if (name === 'FROM') stage += 1
    return name === '' ? [] : [{ name, text: rest, stage }]
  })
}

/** The program and its arguments of `CMD […]`, also of the one in `HEALTHCHECK`. */
export function commandOf(instructions: readonly Instruction[], name: 'CMD' | 'HEALTHCHECK'): readonly string[] {
  const text = instructions.findLast((one) => one.name === name)?.text ?? ''
  return JSON.parse(text.slice(text.indexOf('["')))
}

export interface ComposeService {
  readonly image?: string
  readonly build?: string
  readonly user?: string
  readonly environment: Readonly<Record<string, string>>
  readonly ports: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly command?: readonly string[]
  readonly stop_grace_period?: string
  readonly read_only?: boolean
}

export function readCompose(): Readonly<Record<string, ComposeService>> {
  const { services } = Bun.YAML.parse(readDeployment('compose.yaml')) as { services: Record<string, ComposeService> }
  return services
}

/** Puts values in place of `${NAME:?why}`; one that is missing stops Compose, and this. */
export function interpolate(text: string, values: Readonly<Record<string, string>>): string {
  return text
    .replaceAll(/(?<!\$)\$\{(\w+):\?([^}]*)\}/g, (_, name: string, why: string) => {
      const value = values[name]
      if (value === undefined || value === '') throw new Error(`${name} is missing: ${why}`)
      return value
    })
    .replaceAll('$$', '$')
}

/** A Kubernetes object; its members are looked at where a test knows them. */
export interface Manifest {
  readonly kind: string
  // biome-ignore lint/suspicious/noExplicitAny: what Kubernetes takes has no types here, and each test says what it expects
  readonly spec: any
}

export function readManifests(): readonly Manifest[] {
  return Bun.YAML.parse(readDeployment('kubernetes.yaml')) as Manifest[]
}

export function manifestOf(kind: string): Manifest {
  const found = readManifests().find((one) => one.kind === kind)
  if (found === undefined) throw new Error(`kubernetes.yaml has no ${kind}`)
  return found
}

/** Names of files there that a pattern of `COPY` or `.dockerignore` means. */
export function filesLike(pattern: string): readonly string[] {
  const glob = new Bun.Glob(pattern)
  return readdirSync(DEPLOYMENT).filter((name) => glob.match(name))
}
