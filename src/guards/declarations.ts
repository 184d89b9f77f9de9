/**
 * Keeps a guard from getting lost between the line that writes it and its route.
 *
 * Elysia 1.4 loses options in three ways of which an audit finds nothing (test/guards/platform.test.ts pins each):
 * - it drops all options of a route whose first one is falsy (`idleTimeout: 0`, `cached: false`);
 * - it stops applying options at one that its macro switches off;
 * - `.guard({ … })` without a callback forgets what it could not apply.
 *
 * So on every app that uses the plugin, options are put in an order that loses nothing, and such a `.guard` throws.
 */
import { isGuardName } from './names.ts'

type Options = Readonly<Record<string, unknown>>
type Run = (inner: object) => unknown

/** The methods of an app that all its routes come through. */
interface Declaring {
  add(method: string, path: string, handler: unknown, options?: Options, meta?: unknown): unknown
  guard(options: Options | Run, run?: Run): unknown
  group(prefix: string, options: Options | Run, run?: Run): unknown
}

/** A list that Elysia may add hooks to, and not the app's own, which it may use for another route too. */
function ownList([name, value]: readonly [string, unknown]): readonly [string, unknown] {
  return Array.isArray(value) ? [name, [...value]] : [name, value]
}

/**
 * A copy of options that Elysia may change: first one that is never falsy, then those that are on, then those that
 * are off.
 */
function inSafeOrder(options: Options): Options {
  const entries = Object.entries(options)
    .filter(([name, value]) => value || name !== 'detail')
    .map(ownList)
  const off = entries.filter(([, value]) => !value)
  if (off.length === 0) return Object.fromEntries(entries)
  const on = entries.filter(([, value]) => value)
  return { detail: {}, ...Object.fromEntries(on), ...Object.fromEntries(off) }
}

function requireApplied(options: Options): void {
  const lost = Object.keys(options).filter(isGuardName)
  if (lost.length === 0) return
  throw new TypeError(
    `.guard({ ${lost.join(', ')} }) is not applied: write it after .use(machineAuth()), without options switched off before it`,
  )
}

const kept = new WeakSet<object>()

/**
 * Watches over what is declared on an app, and on the inner apps of its groups and guards.
 *
 * @returns the app
 */
export function keepGuards<A extends object>(app: A): A {
  if (kept.has(app)) return app
  kept.add(app)
  // Elysia declares `add` private.
  const target = app as unknown as Declaring
  const { add, guard, group } = target
  const within = (run: Run): Run => {
    return (inner) => run(keepGuards(inner))
  }

  const methods: Declaring = {
    add(method, path, handler, options, meta) {
      return add.call(target, method, path, handler, options && inSafeOrder(options), meta)
    },
    guard(options, run) {
      if (typeof options === 'function') return guard.call(target, within(options))
      return guard.call(target, inSafeOrder(options), run && within(run))
    },
    group(prefix, options, run) {
      if (typeof options === 'function') return group.call(target, prefix, within(options))
      return group.call(target, prefix, inSafeOrder(options), run && within(run))
    },
  }
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(app, name, {
      value,
      configurable: true,
      writable: true,
      enumerable: false,
    })
  }
  return app
}

const watched = new WeakSet<object>()

/**
 * Makes `.guard({ … })` without a callback throw for a guard that it did not apply, on every app of the process: one
 * that is written before `.use(machineAuth())`, or in a module without it, leaves nothing behind that an audit finds.
 *
 * @param prototype Elysia's
 */
export function refuseLostGuards(prototype: object): void {
  if (watched.has(prototype)) return
  watched.add(prototype)
  const target = prototype as Declaring
  const { guard } = target
  Object.defineProperty(prototype, 'guard', {
    configurable: true,
    writable: true,
    enumerable: false,
    value(this: unknown, options: Options | Run, run?: Run): unknown {
      if (typeof options === 'function' || run !== undefined) return guard.call(this as Declaring, options, run)
      const own = { ...options }
      const result = guard.call(this as Declaring, own)
      requireApplied(own)
      return result
    },
  })
}
