/** What a guarded route carries with few and many keys in use, beside a bare one that is sent the same. */
import { median } from '../median.ts'
import { type Child, processorTimeOf } from './child.ts'
import { type Load, type LoadFiles, type Order, presentAll, runLoad } from './load.ts'
import type { Lookups, Question, Word } from './server.ts'

export interface Variant {
  readonly name: string
  readonly server: Child<Word>
  /** Keys in use. */
  readonly keys: number
  readonly order: Order
  /** The name of the variant that it is compared to; null for one that is a measure for others. */
  readonly bare: string | null
}

export interface Comparison {
  readonly variant: Variant
  readonly requestsPerSecond: number
  /** Processor time of the server, µs per request. */
  readonly cpu: number
  /** ms */
  readonly p99: number
  /** Of the rates, round by round, to the bare twin; 1 for a bare one. */
  readonly toBare: number
  /** Of the bare twin's processor time to its own: on a machine that others use, steadier than that of the rates. */
  readonly byCpu: number
  /** Of p99 to the bare twin's. */
  readonly tail: number
  /** The part of the requests whose key was remembered; NaN for a bare one. */
  readonly hits: number
}

interface Round extends Load {
  readonly cpu: number
  readonly hits: number
}

const ON_THE_OTHER = '1'

/** How often every key is presented before it is measured; as chance has it, once leaves out a third of them. */
const WARM_UPS: Readonly<Record<Order, number>> = { 'in turn': 1, 'at random': 3 }

async function lookupsOf(server: Child<Word>): Promise<Lookups> {
  const question: Question = 'lookups'
  const { lookups } = await server.ask(question)
  if (lookups === undefined) throw new Error('the server did not say how often it looked')
  return lookups
}

async function measure(variant: Variant, files: LoadFiles, seconds: number): Promise<Round> {
  const { server, keys, order } = variant
  const script = files.argumentsFor(keys, order)
  const options = { port: server.hello.port ?? 0, script, processors: ON_THE_OTHER }
  const sent = await presentAll(WARM_UPS[order] * keys, { ...options, seconds: Math.min(2, seconds) })
  const first = await lookupsOf(server)
  const before = processorTimeOf(server.pid)
  const load = await runLoad({ ...options, seconds, from: sent % keys })
  if (load.refused > 0) throw new Error(`${variant.name}: ${load.refused} right keys were refused`)
  const cpu = (processorTimeOf(server.pid) - before) / load.requests
  const last = await lookupsOf(server)
  const [hits, misses] = [last.hits - first.hits, last.misses - first.misses]
  return { ...load, cpu, hits: hits / (hits + misses) }
}

export async function compareThroughput(
  variants: readonly Variant[],
  files: LoadFiles,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
  progress: (text: string) => void,
): Promise<readonly Comparison[]> {
  const measured = new Map<string, Round[]>(variants.map(({ name }) => [name, []]))
  for (let round = 1; round <= rounds; round += 1) {
    for (const variant of variants) {
      progress(`round ${round} of ${rounds}: ${variant.name}`)
      measured.get(variant.name)?.push(await measure(variant, files, seconds))
    }
  }
  return variants.map((variant) => {
    const own = measured.get(variant.name) ?? []
    const other = measured.get(variant.bare ?? variant.name) ?? []
    const ratio = (of: (mine: Round, bare: Round) => number) =>
      median(own.flatMap((mine, round) => (other[round] === undefined ? [] : [of(mine, other[round])])))
    return {
      variant,
      requestsPerSecond: median(own.map((each) => each.requestsPerSecond)),
      cpu: median(own.map((each) => each.cpu)),
      p99: median(own.map((each) => each.p99)),
      toBare: ratio((mine, bare) => mine.requestsPerSecond / bare.requestsPerSecond),
      byCpu: ratio((mine, bare) => bare.cpu / mine.cpu),
      tail: ratio((mine, bare) => mine.p99 / bare.p99),
      hits: median(own.map((each) => each.hits)),
    }
  })
}
