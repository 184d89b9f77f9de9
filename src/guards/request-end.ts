/** What is still to be done for its limits when a request has been answered. */
import { withHeaders } from './answer-headers.ts'
import type { Answers } from './answers.ts'
import type { AuditedRoutes } from './audited-routes.ts'
import type { Presented } from './presented.ts'
import type { RequestLimits } from './request-limits.ts'
import type { AnswerHeaders } from './vary.ts'

export type Handle<R> = (request: Request) => R

export class RequestEnd {
  readonly #limits: RequestLimits
  readonly #routes: AuditedRoutes
  readonly #answers: Answers

  constructor(limits: RequestLimits, routes: AuditedRoutes, answers: Answers) {
    this.#limits = limits
    this.#routes = routes
    this.#answers = answers
  }

  /** Ends what lasts as long as a request when it has been handled, where anything may. */
  after<R>(handle: Handle<R | Response>, presented: Presented): Handle<R | Response | Promise<R | Response>> {
    const isOwed = presented.isExcepted || this.#routes.hasConcurrency || this.#limits.hasPrincipalDefault
    const { charges } = presented
    if (!isOwed && (charges === null || (charges.reservation === null && charges.leaving === null))) return handle
    return (admitted) => {
      let answer: R | Response | Promise<R | Response>
      try {
        answer = handle(admitted)
      } catch (failure) {
        presented.charges?.settle()
        throw failure
      }
      if (answer instanceof Promise) {
        return answer.then((given) => this.#countLate(presented, given)).finally(() => presented.charges?.settle())
      }
      const counted = this.#countLate(presented, answer)
      if (counted instanceof Promise) return counted.finally(() => presented.charges?.settle())
      presented.charges?.settle()
      return counted
    }
  }

  /**
   * A request that was left to its route's limits and never came to them (a rule refused it, no route took it, nobody
   * upgraded it) counts for the default limit after all. Its answer was cheap; over the limit it gets another one.
   */
  #countLate<R>(presented: Presented, answer: R | Response): R | Response | Promise<Response> {
    const isOwed = presented.isExcepted || (!presented.isMet && this.#limits.hasPrincipalDefault)
    if (!isOwed || presented.isCountedByRoute || !(answer instanceof Response)) return answer
    const asking = this.#limits.ahead?.askDefault(presented) ?? null
    return asking === null
      ? this.#chargeLate(presented, answer)
      : asking.then(() => this.#chargeLate(presented, answer))
  }

  #chargeLate(presented: Presented, answer: Response): Response {
    const headers: AnswerHeaders = {}
    try {
      this.#limits.chargeDefault(presented)
      presented.writeHeaders(headers)
      return withHeaders(answer, headers)
    } catch (refused) {
      return this.#answers.replace(refused, presented, answer)
    }
  }
}
