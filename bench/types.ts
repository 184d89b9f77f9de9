/** How long `tsc` takes for an app of 200 guarded routes, over an app without any: `bun bench/types.ts`. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const ROUTES = 200
const GOAL_SECONDS = 2
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
  const tsc = Bun.spawn([process.execPath, 'x', 'tsc', '-p', folder], { stdout: 'inherit', stderr: 'inherit' })
  const started = performance.now()
  if ((await tsc.exited) !== 0) throw new Error(`tsc refused the app of ${routes} routes`)
  return (performance.now() - started) / 1000
}

mkdirSync(folder, { recursive: true })
try {
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: '../../tsconfig.json',
      compilerOptions: { paths: { 'elysia-machine-auth': ['../../src/index.ts'] } },
      include: ['app.ts'],
    }),
  )
  await secondsOf(0)
  for (const routes of [0, ROUTES]) {
    const runs = [await secondsOf(routes), await secondsOf(routes), await secondsOf(routes)].sort((a, b) => a - b)
    const goal = routes === ROUTES ? ` (goal: under ${GOAL_SECONDS} s)` : ''
    console.log(`${String(routes).padStart(3)} guarded routes: ${(runs[1] ?? Number.NaN).toFixed(2)} s${goal}`)
  }
} finally {
  rmSync(folder, { recursive: true })
}
