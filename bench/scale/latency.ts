/** How long single requests take, one after the other on one connection. */
import { quantile } from '../median.ts'

export interface Latency {
  /** µs */
  readonly median: number
  /** µs */
  readonly p99: number
}

const decoder = new TextDecoder()

/** @param values of `x-api-key`, one for each request; each must be answered 200 */
export async function measureLatency(port: number, values: readonly string[]): Promise<Latency> {
  let answered: (text: string) => void = () => undefined
  let failed: (reason: unknown) => void = () => undefined
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port,
    socket: {
      data: (_, bytes) => answered(decoder.decode(bytes)),
      close: () => failed(new Error('the server closed the connection')),
      error: (_, error) => failed(error),
    },
  })
  const times: number[] = []
  for (const value of values) {
    const answer = new Promise<string>((resolve, reject) => {
      answered = resolve
      failed = reject
    })
    const began = Bun.nanoseconds()
    socket.write(`GET / HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nx-api-key: ${value}\r\n\r\n`)
    const text = await answer
    times.push((Bun.nanoseconds() - began) / 1000)
    if (!text.startsWith('HTTP/1.1 200')) throw new Error(`a right key was answered ${text.slice(0, 40)}`)
  }
  failed = () => undefined
  socket.end()
  return { median: quantile(times, 0.5), p99: quantile(times, 0.99) }
}
