/** How long `tsc` takes for an app of 200 guarded routes, and for an app without any: `bun bench/types.ts [--quick]`. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { goalOf } from './goals.ts'
import { median } from './median.ts'
import { createPrintingReport, type Report } from './report.ts'

const ROUTES = 200
const folder = join(import.meta.dir, '..', 'test', '.types-bench')
const GUARDS = [
  ["'apiKey.name'", 'apiKey', '{ apiKey: true }'],
  ["'currentUser.email'", 'currentUser', '{ currentUser: true }'],
  ["'currentUser.id'", 'currentUser', "{ requireRole: 'admin' }"],
  ["'principal.kind'", 'principal', "{ requirePermission: 'posts.view' }"],
  ["'post.title'", 'post', '{ authorizedPost: true }'],
] as const

function appOf(routes: number): string {
  const lines = Array.from({ length: routes }, (_, index) => {
    const [read, name, option] = GUARDS[index % GUARDS.length] ?? GUARDS[0]
    return `  .get('/route${index}/:id', ({ ${name} }) => ${read.slice(1, -1)}, ${option})`
  })
  // Written as apps of this size are: modules of 20 routes each, used by one root.
  const modules = Array.from({ length: Math.ceil(routes / 20) }, (_, index) =>
    ['new Elysia().use(auth).use(posts)', ...lines.slice(index * 20, index * 20 + 20)].join('\n'),
  )
  return `import { Elysia } from 'elysia'
import { authorizedResource, machineAuth } from 'elysia-machine-auth'
const auth = machineAuth({ roles: { admin: ['*'], user: [] }, permissions: ['posts.view'] })
export const posts = authorizedResource('post', { load: () => ({ title: 't', by: 'u' }), owner: (post) => post.by })
${modules.map((module, index) => `export const module${index} = ${module}`).join('\n')}
export const app = new Elysia().use(auth)${modules.map((_, index) => `.use(module${index})`).join('')}
`
}

async function secondsOf(routes: number): Promise<number> {
  writeFileSync(join(folder, 'app.ts'), appOf(routes))
  const tsc = Bun.spawn([process.execPath, 'x', 'tsc', '-p', folder], { stdout: 'pipe', stderr: 'inherit' })
  const started = performance.now()
  const mistakes = await new Response(tsc.stdout).text()
  if ((await tsc.exited) !== 0) throw new Error(`tsc refused the app of ${routes} routes: ${mistakes}`)
  return (performance.now() - started) / 1000
}

export async function run(report: Report, { isQuick }: { readonly isQuick: boolean }): Promise<void> {
  mkdirSync(folder, { recursive: true })
  try {
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: '../../tsconfig.json',
        compilerOptions: { paths: { 'elysia-machine-auth': ['../../src/index.ts'] } },
        // Scripts in other languages are imported as text.
        include: ['app.ts', '../../src/limits/redis/lua.d.ts'],
      }),
    )
    await secondsOf(0)
    const times = new Map<number, number[]>([
      [0, []],
      [ROUTES, []],
    ])
    for (let round = 1; round <= (isQuick ? 1 : 5); round += 1) {
      for (const [routes, own] of times) {
        report.progress(`tsc, ${routes} routes, ${round}`)
        own.push(await secondsOf(routes))
      }
    }
    const usual = (routes: number) => median(times.get(routes) ?? [])
    for (const routes of times.keys()) {
      const name = `${routes} guarded routes, tsc`
      const goal = goalOf('types', name)
      const note =
        routes === 0
          ? 'the whole process: the compiler, elysia and the plugin'
          : `the whole process; the routes themselves ${(usual(routes) - usual(0)).toFixed(2)} s`
      report.add({ group: 'types', name, value: usual(routes), unit: 's', note, ...(goal && { goal }) })
    }
    report.add({
      group: 'types',
      name: `${ROUTES} guarded routes, over none`,
      value: usual(ROUTES) - usual(0),
      unit: 's',
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

if (import.meta.main) await run(createPrintingReport(), { isQuick: process.argv.includes('--quick') })
