/** The names of limits with functions: the same in every process of an app. */
import { expect, test } from 'bun:test'
import { compilePolicies } from '../../src/limits/policy.ts'

const POLICY = new URL('../../src/limits/policy.ts', import.meta.url).pathname

/** What two limits are called in a process of its own, which compiles others of other functions before. */
async function namesElsewhere(before: string): Promise<readonly string[]> {
  const script = `
    const { compilePolicies } = await import(${JSON.stringify(POLICY)})
    const compile = (by) => compilePolicies({ limit: 5, window: '1m', by }, 'sliding-window', 'test')[0].fingerprint
    ${before}
    const make = (header) => ({ request }) => request.headers.get(header) ?? ''
    console.log(JSON.stringify([compile(({ params }) => params.id), compile(make('a')), compile(make('b'))]))`
  const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'inherit' })
  return JSON.parse(await new Response(child.stdout).text())
}

test('are the same in every process, whatever else it has made before', async () => {
  const names = await namesElsewhere('')
  expect(new Set(names).size).toBe(3)
  expect(await namesElsewhere('compile(() => "other"); compile(({ request }) => request.url)')).toEqual(names)
})

test('tell apart functions of one source, and know each again', () => {
  const make = (header: string) => (context: { readonly request: Request }) => context.request.headers.get(header) ?? ''
  const [one, other] = [make('a'), make('b')]
  const compile = (by: typeof one) =>
    compilePolicies({ limit: 5, window: '1m', by }, 'sliding-window', 'test')[0]?.fingerprint
  const first = compile(one)
  expect(compile(other)).not.toBe(first)
  expect(compile(one)).toBe(first)
})
