/** What is recorded of each request: told once, when its answer is known and before it is sent. */
import type { Principal } from '../authentication/principal.ts'
import { DENIAL_CODES, type RequestMeter, type RequestOutcome } from '../recording/metrics/meter.ts'
import type { RequestFacts, RequestLogger } from '../recording/requests/logger.ts'
import type { UsageCounter } from '../recording/usage/counter.ts'
import type { Presented } from './presented.ts'

/** Null where nobody wants to hear. */
export interface Observers {
  readonly usage: UsageCounter | null
  readonly meter: RequestMeter | null
  readonly log: RequestLogger | null
}

type Handle<R> = (request: Request) => R | Promise<R>

const UPGRADED = 101
const OK = 200
const FAILED = 500

/** Begins to watch requests; made once per core. */
export class RequestObserver {
  readonly observers: Observers
  readonly stopwatch: () => number
  /** Patterns of the routes where a request may become a WebSocket. */
  socketRoutes: ReadonlySet<string> = new Set()

  /** @param stopwatch ms from any moment on, never backwards */
  constructor(observers: Observers, stopwatch: () => number = () => performance.now()) {
    this.observers = observers
    this.stopwatch = stopwatch
  }

  /** Before anything reads the request. */
  begin(presented: Presented): Observation {
    return new Observation(this, presented)
  }

  /** Whether a request became a WebSocket: Elysia answers an empty 200, which nobody gets. */
  isUpgraded({ request, route }: Presented, answer: Response): boolean {
    const { socketRoutes } = this
    if (socketRoutes.size === 0 || answer.status !== OK || route === null) return false
    return socketRoutes.has(route) && request.headers.get('upgrade')?.toLowerCase() === 'websocket'
  }
}

/** One request under way. */
class Observation {
  readonly #observer: RequestObserver
  readonly #presented: Presented
  readonly #start: number
  readonly #write: ReturnType<RequestLogger['begin']> | null

  constructor(observer: RequestObserver, presented: Presented) {
    const { log } = observer.observers
    this.#observer = observer
    this.#presented = presented
    this.#start = observer.stopwatch()
    this.#write = log === null ? null : log.begin(presented.request)
  }

  /** @param handle answers the request, or upgrades it and answers nothing */
  over<R>(handle: Handle<R>): Handle<R> {
    return (request) => {
      let answer: R | Promise<R>
      try {
        answer = handle(request)
      } catch (failure) {
        this.#tell(FAILED, null)
        throw failure
      }
      if (answer instanceof Promise) return this.#wait(answer)
      this.#tellAnswer(answer)
      return answer
    }
  }

  /** It is told of before whoever sends the answer hears of it. */
  #wait<R>(answer: Promise<R>): Promise<R> {
    return answer.then(
      (given) => {
        this.#tellAnswer(given)
        return given
      },
      (failure) => {
        this.#tell(FAILED, null)
        throw failure
      },
    )
  }

  #tellAnswer(answer: unknown): void {
    const sent = answer instanceof Response && !this.#observer.isUpgraded(this.#presented, answer) ? answer : null
    this.#tell(sent?.status ?? UPGRADED, sent)
  }

  /** @param answer null where there is none to send: the request became a WebSocket, or failed */
  #tell(status: number, answer: Response | null): void {
    const presented = this.#presented
    const elapsed = this.#observer.stopwatch() - this.#start
    const { caller } = presented
    if (isGuarded(presented)) {
      const { usage, meter } = this.#observer.observers
      if (usage !== null) countUse(usage, presented, caller, status, elapsed)
      if (meter !== null) measure(meter, presented, caller, status, elapsed)
    }
    if (this.#write !== null) this.#write(factsOf(presented, caller, status, elapsed), answer)
  }
}

function countUse(
  usage: UsageCounter,
  presented: Presented,
  caller: Principal | null,
  status: number,
  elapsed: number,
): void {
  const key = caller?.kind === 'apiKey' ? caller : presented.refusedKey
  const organizationId = (caller ?? key)?.organizationId ?? ''
  // Who was kept out by his address or a limit has not used his key.
  const isUse = presented.principal?.kind === 'apiKey'
  const { method } = presented.request
  usage.count(key?.id ?? '', organizationId, method, presented.route ?? '', status, elapsed, isUse)
}

/** Whether a guard, a limit, a block or a rule had a say in what came of it. */
function isGuarded(presented: Presented): boolean {
  return presented.isGuarded || presented.early !== null || presented.principal !== null
}

function outcomeOf(status: number, { code }: Presented): RequestOutcome {
  if (status < 400) return 'allowed'
  if (status >= FAILED) return 'failed'
  return code !== null && DENIAL_CODES.has(code) ? 'denied' : 'rejected'
}

function measure(
  meter: RequestMeter,
  presented: Presented,
  caller: Principal | null,
  status: number,
  elapsed: number,
): void {
  const outcome = outcomeOf(status, presented)
  meter.request(outcome, elapsed)
  if (outcome === 'denied' && presented.code !== null) meter.denial(presented.code)
  if (presented.early !== null) return
  // First: whoever guesses at it may have a session besides.
  if (presented.isMasterKeyTried) meter.authentication('master', presented.principal?.kind === 'master')
  else if (caller !== null) meter.authentication(caller.kind, true)
  else meter.authentication(presented.presentedKind, false)
}

function factsOf(presented: Presented, caller: Principal | null, status: number, elapsed: number): RequestFacts {
  const key = caller?.kind === 'apiKey' ? caller : presented.refusedKey
  return {
    requestId: presented.requestId,
    route: presented.route,
    status,
    elapsed,
    address: presented.address,
    credential: caller?.kind ?? null,
    keyId: key?.id ?? null,
    userId: caller?.user?.id ?? null,
    organizationId: (caller ?? key)?.organizationId ?? null,
    code: presented.code,
  }
}
