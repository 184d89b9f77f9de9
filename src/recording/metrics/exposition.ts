/** Prometheus text of metrics, by prom-client. Loaded at the first scrape: until then nobody waits for it. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { DistributionSample, Family } from './family.ts'

/** ms in a second, which is what Prometheus counts in. */
const SECOND = 1000

type HistogramObject = Awaited<ReturnType<Histogram['get']>>
type HistogramFamily = Extract<Family, { readonly type: 'histogram' }>

function* valuesOf(name: string, { labels = {}, distribution }: DistributionSample) {
  const { bounds, counts, sum } = distribution
  let count = 0
  for (const [bucket, each] of counts.entries()) {
    const bound = bounds[bucket]
    count += each
    const le = bound === undefined ? '+Inf' : bound / SECOND
    yield { metricName: `${name}_bucket`, labels: { ...labels, le }, value: count }
  }
  yield { metricName: `${name}_sum`, labels, value: sum / SECOND }
  yield { metricName: `${name}_count`, labels, value: count }
}

/** A histogram whose counts are kept elsewhere: prom-client offers none, unlike for counters and gauges. */
class CountedHistogram extends Histogram {
  readonly #empty: Histogram
  readonly #family: HistogramFamily

  constructor(family: HistogramFamily, registry: Registry) {
    const { name, help, labels = [] } = family
    super({ name, help, labelNames: [...labels], registers: [registry] })
    this.#empty = new Histogram({ name, help, registers: [] })
    this.#family = family
  }

  override async get(): Promise<HistogramObject> {
    const { name, read } = this.#family
    return { ...(await this.#empty.get()), values: read().flatMap((sample) => [...valuesOf(name, sample)]) }
  }

  /** What a registry of prom-client 15.1 asks for instead of `get`. */
  getForPromString(): Promise<HistogramObject> {
    return this.get()
  }
}

function register(family: Family, registry: Registry): void {
  if (family.type === 'histogram') {
    new CountedHistogram(family, registry)
    return
  }
  const { name, help, labels = [] } = family
  const common = { name, help, labelNames: [...labels], registers: [registry] }
  const samples = () => family.read()
  if (family.type === 'counter') {
    new Counter({
      ...common,
      collect() {
        this.reset()
        for (const { labels: of = {}, value } of samples()) this.inc(of, value)
      },
    })
  } else {
    new Gauge({
      ...common,
      collect() {
        this.reset()
        for (const { labels: of = {}, value } of samples()) this.set(of, value)
      },
    })
  }
}

/** A registry of these metrics alone: the global one of prom-client would mix the cores of a process. */
export function createRegistry(families: readonly Family[]): Registry {
  const registry = new Registry()
  for (const family of families) register(family, registry)
  return registry
}
