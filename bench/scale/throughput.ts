/** What a guarded route carries with few and many keys in use, beside a bare one that is sent the same. */
import { median } from '../median.ts'
import { type Child, processorTimeOf } from './child.ts'
import { type Load, type LoadFiles, type Order, runLoad } from './load.ts'
import type { Word } from './server.ts'

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
}

interface Round extends Load {
  readonly cpu: number
}

const ON_THE_OTHER = '1'

/** A server has seen every key once before it is measured, whatever it takes. */
async function warmUp({ server, keys }: Variant, script: readonly string[], seconds: number): Promise<void> {
  for (let sent = 0; sent < keys || sent === 0; ) {
    sent += (await runLoad({ port: server.hello.port ?? 0, seconds, script, processors: ON_THE_OTHER })).requests
  }
}

async function measure(variant: Variant, files: LoadFiles, seconds: number): Promise<Round> {
  const { server, keys, order } = variant
  const script = files.argumentsFor(keys, order)
  await warmUp(variant, script, Math.min(2, seconds))
  const before = processorTimeOf(server.pid)
  const load = await runLoad({ port: server.hello.port ?? 0, seconds, script, processors: ON_THE_OTHER })
  if (load.refused > 0) throw new Error(`${variant.name}: ${load.refused} right keys were refused`)
  return { ...load, cpu: (processorTimeOf(server.pid) - before) / load.requests }
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
    }
  })
}
