/** Hears what the process says on its console. */
import { lookThroughText } from './report.ts'

const NAMES = ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const

/** To be called once. */
export function watchConsole(): void {
  for (const name of NAMES) {
    const say = console[name]
    console[name] = (...parts: unknown[]) => {
      lookThroughText(`console.${name}`, Bun.inspect(parts))
      say.apply(console, parts)
    }
  }
}
