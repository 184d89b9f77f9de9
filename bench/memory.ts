/**
 * What is remembered takes so many bytes: `bun bench/memory.ts`. Each is weighed in a process that has done nothing
 * else, over guarded routes, the states of limits included.
 */
import { PRINCIPALS, type PrincipalKind, type Weight, weighPrincipals } from './memory/principals.ts'
import { SUBJECT_RATES, weighSubjects } from './memory/subjects.ts'
import { createPrintingReport, type Report } from './report.ts'

const GOAL = 600

const NAMES: Readonly<Record<PrincipalKind, string>> = {
  apiKey: 'API key',
  session: 'session',
  jwt: 'access token (JWT)',
}

async function weighInChild(...what: readonly string[]): Promise<Weight> {
  const child = Bun.spawn([process.execPath, import.meta.path, ...what], { stderr: 'inherit' })
  return JSON.parse(await new Response(child.stdout).text())
}

export async function run(report: Report, { isQuick }: { readonly isQuick: boolean }): Promise<void> {
  const group = 'memory'
  const size = isQuick ? 10_000 : 100_000
  for (const kind of PRINCIPALS) {
    const count = kind === 'jwt' ? size / 5 : size
    report.progress(`memory: ${count.toLocaleString('en')} of ${NAMES[kind]}`)
    const { heap, resident } = await weighInChild('principals', kind, String(count))
    const note = `${count.toLocaleString('en')} verified; ${resident.toFixed(0)} bytes resident`
    report.add({ group, name: `each ${NAMES[kind]}`, value: heap, unit: 'bytes', goal: { atMost: GOAL }, note })
  }
  for (const [name, { goal }] of Object.entries(SUBJECT_RATES)) {
    const count = isQuick ? 100_000 : 1_000_000
    report.progress(`memory: ${count.toLocaleString('en')} subjects of ${name}`)
    const { heap, resident } = await weighInChild('subjects', name, String(count))
    const note = `${count.toLocaleString('en')} subjects, one hit each; ${resident.toFixed(0)} bytes resident`
    report.add({ group, name: `each subject, ${name}`, value: heap, unit: 'bytes', ...(goal && { goal }), note })
  }
}

async function weigh([what, name = '', count]: readonly string[]): Promise<Weight> {
  if (what === 'subjects') return weighSubjects(name, Number(count))
  const kind = PRINCIPALS.find((each) => each === name)
  if (kind === undefined) throw new TypeError(`${what} ${name} cannot be weighed`)
  return weighPrincipals(kind, Number(count))
}

if (import.meta.main) {
  const given = process.argv.slice(2)
  if (given.length === 3) console.log(JSON.stringify(await weigh(given)))
  else await run(createPrintingReport(), { isQuick: given.includes('--quick') })
}
