/** Where a request carries what it presents. A property costs less than a WeakMap, and a WebSocket keeps it too. */
import { MachineAuthError } from '../errors.ts'
import type { Presented } from './presented.ts'

const STATE = Symbol('machine-auth.presented')

interface Carrier {
  [STATE]?: Presented
}

/** What the request presents, if the plugin has seen it. */
export function peekPresented(request: Request & Carrier): Presented | undefined {
  return request[STATE]
}

/** A request that no plugin has admitted: without it nothing may pass. */
export function withoutPlugin(): MachineAuthError {
  return new MachineAuthError('internal_error', {
    detail: 'A guard ran without the plugin: add .use(machineAuth()) to the app that serves the request.',
  })
}

/**
 * What the request presents.
 *
 * @throws MachineAuthError `internal_error` when the plugin has not seen it: without it nothing may pass
 */
export function presentedBy(request: Request & Carrier): Presented {
  const presented = request[STATE]
  if (presented === undefined) throw withoutPlugin()
  return presented
}

export function rememberPresented(request: Request & Carrier, presented: Presented): void {
  request[STATE] = presented
}
