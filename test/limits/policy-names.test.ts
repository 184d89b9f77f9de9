/** The names of limits with functions: the same in every process of an app. */
import { expect, test } from 'bun:test'
import { compilePolicies } from '../../src/limits/policy.ts'

const POLICY = new URL('../../src/limits/policy.ts', import.meta.url).pathname

/** What limits are called in a process of its own, which compiles others before. */
async function namesElsewhere(before: string): Promise<readonly string[]> {
  const script = `
    const { compilePolicies } = await import(${JSON.stringify(POLICY)})
    const compile = (by) => compilePolicies({ limit: 5, window: '1m', by }, 'sliding-window', 'test')[0].fingerprint
    const make = (header) => ({ request }) => request.headers.get(header) ?? ''
    ${before}
    const list = compilePolicies(['a', 'b'].map((header) => ({ limit: 5, window: '1m', by: make(header) })), 'sliding-window', 'test')
    const names = [compile(({ params }) => params.id), ...list.map(({ fingerprint }) => fingerprint)]
    console.log(JSON.stringify(names))`
  const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'inherit' })
  return JSON.parse(await new Response(child.stdout).text())
}

test('are the same in every process, whatever it has made before, of the same source too', async () => {
  const names = await namesElsewhere('')
  expect(new Set(names).size).toBe(3)
  const before = 'compile(() => "other"); compile(({ params }) => params.id); compile(make("c"))'
  expect(await namesElsewhere(before)).toEqual(names)
})

test('tell functions apart by their source', () => {
  const compile = (by: (context: { readonly request: Request }) => string) =>
    compilePolicies({ limit: 5, window: '1m', by, name: 'x' }, 'sliding-window', 'test')[0]?.fingerprint
  const make = (header: string) => (context: { readonly request: Request }) => context.request.headers.get(header) ?? ''
  expect(compile(make('a'))).toBe(compile(make('b')) ?? '')
  expect(compile(({ request }) => request.url)).not.toBe(compile(make('a')))
})
