/** The Dockerfile, compose.yaml and kubernetes.yaml are held to each other and to the code that they run. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import manifest from '../../package.json' with { type: 'json' }
import { parseDuration } from '../../src/lib/duration.ts'
import { readEnvironment } from '../../src/options/environment.ts'
import { Report } from '../../src/options/mistakes.ts'
import { resolveOptions } from '../../src/options/resolve.ts'
import {
  type ComposeService,
  commandOf,
  DEPLOYMENT,
  filesLike,
  interpolate,
  manifestOf,
  readCompose,
  readDeployment,
  readDockerfile,
} from './deployment-files.ts'
import { type Example, START_TIMEOUT, startExample } from './support.ts'

const instructions = readDockerfile(readDeployment('Dockerfile'))
const final = instructions.filter(({ stage }) => stage === instructions.at(-1)?.stage)
const textOf = (name: string) => final.find((one) => one.name === name)?.text ?? ''
const compose = readCompose()
const service = (name: string): ComposeService => {
  const found = compose[name]
  if (found === undefined) throw new Error(`compose.yaml has no ${name}`)
  return found
}
const pod = manifestOf('Deployment').spec.template.spec
const container = pod.containers[0]

const VALUES = {
  MACHINE_AUTH_SECRET: 'w7Yw0mVb2ZxC9dK4nR8tL1pS6uF3hJ5b',
  MACHINE_AUTH_MASTER_KEY: 'm4Tq9sXv1BnK7wEy3GzP8cLd5RfH2jUc',
  POSTGRES_PASSWORD: 'c0ffee',
  REDIS_PASSWORD: 'decaf',
}

/** ms from SIGTERM on that a container must be given. */
function timeToStop(): number {
  const [, delay = '', timeout = ''] =
    /shutdown: \{ delay: '(\w+)', timeout: '(\w+)' \}/.exec(readDeployment('server.ts')) ?? []
  return parseDuration(delay) + parseDuration(timeout) + 2000
}

describe('the image', () => {
  test('copies what is there, and nothing that .dockerignore keeps out', () => {
    const patterns = instructions
      .filter(({ name, text }) => name === 'COPY' && !text.startsWith('--from'))
      .flatMap(({ text }) => text.split(' ').slice(0, -1))
    const [, ...allowed] = readDeployment('.dockerignore').trim().split('\n')
    expect(patterns.length).toBeGreaterThan(3)
    for (const pattern of patterns) {
      // The archive is made by `bun pm pack`, the lock file by the first install.
      const sources = pattern.startsWith('elysia-machine-auth-')
        ? [`elysia-machine-auth-${manifest.version}.tgz`]
        : filesLike(pattern)
      if (!pattern.endsWith('*')) expect([pattern, sources.length]).toEqual([pattern, 1])
      for (const name of sources) expect(allowed.some((line) => new Bun.Glob(line.slice(1)).match(name))).toBe(true)
    }
  })

  test('has no secret: neither a value for one nor a file that holds one', () => {
    for (const { name, text } of instructions) {
      if (name === 'ENV' || name === 'ARG') expect(text).not.toMatch(/SECRET|KEY|PASSWORD|DATABASE|REDIS/)
      if (name === 'COPY') expect(text).not.toMatch(/(^| )(\.|\.env\S*|\*)( |$)/)
    }
    expect(readDeployment('.dockerignore')).toStartWith('*\n')
  })

  test('is not root, whom Kubernetes can tell only by number', () => {
    expect(textOf('USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/)
    expect(final.findLastIndex(({ name }) => name === 'COPY' || name === 'RUN')).toBeLessThan(
      final.findIndex(({ name }) => name === 'USER'),
    )
  })

  test('runs in production, on a Bun that was tested', () => {
    expect(textOf('ENV')).toContain('NODE_ENV=production')
    const bases = instructions.filter(({ name }) => name === 'FROM').map(({ text }) => text.split(' ')[0])
    expect(new Set(bases).size).toBe(1)
    expect(bases[0]).toBe(`oven/bun:${manifest.devDependencies['@types/bun']}-slim`)
  })

  test('installs the package as it is called when it is packed', () => {
    const { dependencies } = JSON.parse(readDeployment('package.json'))
    expect(dependencies).toEqual({
      elysia: expect.stringMatching(/^\^1\.4\./),
      [manifest.name]: `./${manifest.name}-${manifest.version}.tgz`,
    })
    expect(manifest.peerDependencies.elysia).toContain(dependencies.elysia.slice(1))
  })
})

describe('compose.yaml', () => {
  test('opens ports to this machine only', () => {
    const ports = Object.values(compose).flatMap((one) => one.ports)
    expect(ports).toHaveLength(3)
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/)
    expect(service('app').ports[0]).toEndWith(`:${textOf('EXPOSE')}`)
    expect(textOf('ENV')).toContain(`PORT=${textOf('EXPOSE')}`)
  })

  test('runs nothing as root', () => {
    for (const [name, { build, user = '' }] of Object.entries(compose)) {
      if (build === undefined) expect([name, user]).toEqual([name, expect.stringMatching(/^(?!root|0)\w+/)])
    }
  })

  test('starts the app when the others answer', () => {
    expect(service('app').depends_on).toEqual({
      postgres: { condition: 'service_healthy' },
      redis: { condition: 'service_healthy' },
    })
    for (const name of ['postgres', 'redis']) expect(service(name).healthcheck?.test.length).toBeGreaterThan(1)
  })

  test('takes the versions that the tests run', () => {
    expect([service('postgres').image, service('redis').image]).toEqual(['postgres:15', 'redis:7.0'])
  })

  test('gives options that are right in production, without a warning', () => {
    const given = Object.entries(service('app').environment).map(([name, text]) => [name, interpolate(text, VALUES)])
    const env = { ...Object.fromEntries(given), NODE_ENV: 'production' }
    const resolved = resolveOptions({}, { env, cwd: '/nonexistent' })
    expect(resolved).toMatchObject({
      database: 'postgres://machine_auth:c0ffee@postgres:5432/machine_auth',
      redis: 'redis://:decaf@redis:6379',
      production: true,
      warnings: [],
    })
  })

  test('has no default for anything secret: each that is missing stops the start', () => {
    const text = JSON.stringify(compose)
    for (const name of Object.keys(VALUES)) {
      expect(() => interpolate(text, { ...VALUES, [name]: '' })).toThrow(name)
    }
    // `:-` would be a default, and no sign at all an empty value.
    expect(text.replaceAll('$$', '').match(/\$(?!\{\w+:\?)/g)).toBeNull()
  })

  test('gives the app the time that its stop takes', () => {
    expect(parseDuration(service('app').stop_grace_period ?? '')).toBeGreaterThan(timeToStop())
  })
})

describe('kubernetes.yaml', () => {
  test('runs two replicas, of which one stays when nodes are emptied', () => {
    const { replicas, selector, template } = manifestOf('Deployment').spec
    expect(replicas).toBeGreaterThanOrEqual(2)
    const budget = manifestOf('PodDisruptionBudget').spec
    expect(budget.minAvailable).toBeWithin(1, replicas)
    expect([selector, budget.selector]).toEqual(
      Array.from({ length: 2 }, () => ({ matchLabels: template.metadata.labels })),
    )
    expect(manifestOf('Service').spec.selector).toEqual(template.metadata.labels)
  })

  test('is not root, and writes nothing but /tmp', () => {
    const uid = Number(textOf('USER').split(':')[0])
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: uid, runAsGroup: uid })
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    expect(container.volumeMounts).toEqual([{ name: 'tmp', mountPath: '/tmp' }])
  })

  test('has the ports of the image', () => {
    const port = Number(textOf('EXPOSE'))
    expect(container.ports).toEqual([{ name: 'http', containerPort: port }])
    expect(container.env).toContainEqual({ name: 'PORT', value: String(port) })
    const named = [container.livenessProbe, container.readinessProbe].map(({ httpGet }) => httpGet.port)
    expect([...named, manifestOf('Service').spec.ports[0].targetPort]).toEqual(['http', 'http', 'http'])
  })

  test('gives the pod the time that its stop takes, and readiness the time to be seen', () => {
    expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThan(timeToStop())
    const { periodSeconds, failureThreshold } = container.readinessProbe
    const delay = /delay: '(\w+)'/.exec(readDeployment('server.ts'))?.[1] ?? ''
    expect(parseDuration(delay)).toBeGreaterThan(periodSeconds * failureThreshold * 1000)
  })

  test('names secrets, and holds none', () => {
    const secret = container.env.filter(({ name }: { name: string }) => /SECRET|KEY|DATABASE|REDIS/.test(name))
    expect(secret).toHaveLength(4)
    const keys = secret.map(({ valueFrom }: { valueFrom: { secretKeyRef: { name: string; key: string } } }) => {
      expect(valueFrom.secretKeyRef.name).toBe('machine-auth')
      return valueFrom.secretKeyRef.key
    })
    for (const key of keys) expect(readDeployment('README.md')).toContain(`--from-file=${key}=`)
  })
})

test('every variable is one that is read', () => {
  const names = [
    ...Object.keys(service('app').environment),
    ...container.env.map(({ name }: { name: string }) => name),
    ...[...readDeployment('kubernetes.yaml').matchAll(/\bMACHINE_AUTH_[A-Z_]+/g)].map(([name]) => name),
  ]
  const ours = names.filter((name) => name.startsWith('MACHINE_AUTH_'))
  expect(new Set(ours).size).toBeGreaterThan(4)
  for (const name of ours) {
    expect([name, Object.keys(readEnvironment({ [name]: '10.0.0.1' }, new Report()).options)]).toEqual([
      name,
      [expect.any(String)],
    ])
  }
  const others = names.filter((name) => !name.startsWith('MACHINE_AUTH_'))
  expect(new Set(others)).toEqual(new Set(['NODE_ENV', 'PORT']))
})

describe('the server', () => {
  let example: Example
  beforeAll(async () => {
    const { MACHINE_AUTH_SECRET } = VALUES
    example = await startExample('examples/deployment/server.ts', { env: { MACHINE_AUTH_SECRET } })
  }, START_TIMEOUT)
  afterAll(async () => {
    // On SIGTERM it would first wait for a load balancer to notice.
    process.kill(example.pid, 'SIGKILL')
    await example[Symbol.asyncDispose]()
  })

  test.each<[string, string]>([
    ['livenessProbe', container.livenessProbe.httpGet.path],
    ['readinessProbe', container.readinessProbe.httpGet.path],
  ])('answers the %s at %s', async (_probe, path) => {
    const response = await fetch(example.origin + path)
    await response.arrayBuffer()
    expect(response.status).toBe(200)
  })

  test('is found well by the health check of the image, and ill where nothing listens', async () => {
    const [program = '', ...args] = commandOf(instructions, 'HEALTHCHECK')
    expect(program).toBe('bun')
    const check = (port: number) =>
      Bun.spawn([process.execPath, ...args], {
        cwd: DEPLOYMENT,
        env: { PORT: String(port), HOME: example.directory },
        stdio: ['ignore', 'ignore', 'ignore'],
      }).exited
    expect(await check(example.port)).toBe(0)
    expect(await check(1)).not.toBe(0)
  })

  test('is what the image runs', () => {
    expect(commandOf(instructions, 'CMD')).toEqual(['bun', 'server.ts'])
  })
})
