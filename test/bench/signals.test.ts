import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { until } from '../support/until.ts'

const isRunning = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test.each(['SIGTERM', 'SIGINT'] as const)('%s ends a bench and the servers that it started', async (signal) => {
  const script = `
    import { exitOnSignals } from ${JSON.stringify(join(import.meta.dir, '../../bench/signals.ts'))}
    exitOnSignals()
    const child = Bun.spawn(['sleep', '60'])
    process.once('exit', () => child.kill())
    console.log(child.pid)
    setInterval(() => undefined, 60_000)`
  const bench = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'inherit' })
  const { value } = await bench.stdout.getReader().read()
  const pid = Number(new TextDecoder().decode(value))
  expect(isRunning(pid)).toBe(true)
  bench.kill(signal)
  expect(await bench.exited).toBe(1)
  await until(() => !isRunning(pid))
})
