/**
 * What is recorded of one request, in a process that does nothing else: the same calls around a route that is already
 * answered. Without a server there is little noise, and a change of a few nanoseconds can be seen.
 */
import { RequestObserver } from '../src/guards/observation.ts'
import type { Presented } from '../src/guards/presented.ts'
import { RequestCounts } from '../src/recording/metrics/request-counts.ts'
import { UsageRecorder } from '../src/recording/usage/recorder.ts'
import { quantile } from './median.ts'
import type { Report } from './report.ts'

const HOUR = 3_600_000
const PER_SLICE = 100
const SLICES = 6000
/** Others who use the machine make slices longer, and none shorter. */
const UNDISTURBED = 0.1

const store = { record: async () => true, checkpoint: async () => null, touch: async () => undefined }

function createRecorder(): UsageRecorder {
  return new UsageRecorder({
    ...{ store, clock: Date.now, warn: console.warn, flushInterval: HOUR, batchSize: 200, journalDirectory: null },
  })
}

const CASES = [
  { name: 'usage alone', keys: 1, isMetered: false, isCounted: true },
  { name: 'metrics alone', keys: 1, isMetered: true, isCounted: false },
  { name: 'usage and metrics alone', keys: 1, isMetered: true, isCounted: true },
  { name: 'usage and metrics alone, 1,000 keys', keys: 1000, isMetered: true, isCounted: true },
  { name: 'usage and metrics alone, 10,000 keys', keys: 10_000, isMetered: true, isCounted: true },
] as const

const request = new Request('http://127.0.0.1/')
const answer = new Response('bench')
const handle = () => answer

/** What the observer reads of a request that a key was accepted for. */
class AcceptedRequest {
  readonly request = request
  readonly route = '/'
  readonly isGuarded = true
  readonly isMasterKeyTried = false
  readonly early = null
  readonly code = null
  readonly caller: object
  readonly principal: object

  constructor(principal: object) {
    this.caller = principal
    this.principal = principal
  }
}

/** ns per call of what is not watched. */
function measureUnwatched(slices: number): number {
  const times = Array.from({ length: slices }, () => {
    const began = Bun.nanoseconds()
    for (let call = 0; call < PER_SLICE; call += 1) handle()
    return (Bun.nanoseconds() - began) / PER_SLICE
  })
  return quantile(times, UNDISTURBED)
}

/** ns per request. */
function measure({ keys, isMetered, isCounted }: (typeof CASES)[number], slices: number): number {
  const usage = isCounted ? createRecorder() : null
  const observer = new RequestObserver({ usage, meter: isMetered ? new RequestCounts() : null, log: null })
  const principals = Array.from({ length: keys }, (_, index) => ({
    ...{ kind: 'apiKey', id: `key_${String(index).padStart(16, '0')}`, organizationId: null },
  }))
  const times: number[] = []
  let turn = 0
  for (let slice = 0; slice < slices; slice += 1) {
    // The rest of the class is not looked at here, and would need a core.
    const requests = Array.from({ length: PER_SLICE }, () => {
      turn = (turn + 1) % keys
      return new AcceptedRequest(principals[turn] ?? {}) as unknown as Presented
    })
    const began = Bun.nanoseconds()
    for (const presented of requests) observer.begin(presented).over(handle)(request)
    times.push((Bun.nanoseconds() - began) / PER_SLICE)
  }
  return quantile(times, UNDISTURBED)
}

export async function reportRecordedAlone(report: Report, isQuick: boolean): Promise<void> {
  const slices = isQuick ? SLICES / 10 : SLICES
  const note = `without a server; what is watched takes ${measureUnwatched(slices).toFixed(0)} ns`
  for (const each of CASES) {
    report.progress(each.name)
    report.add({ group: 'recording', name: each.name, value: measure(each, slices), unit: 'ns', note })
  }
}
