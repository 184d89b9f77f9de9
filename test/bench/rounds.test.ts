import { describe, expect, test } from 'bun:test'
import { measureInRounds, Rounds } from '../../bench/rounds.ts'
import { timeInSlices } from '../../bench/slices.ts'
import { parseReading, type Reading } from '../../bench/wrk.ts'

const reading = (requestsPerSecond: number, cpu: number, p99 = 1): Reading => ({ requestsPerSecond, cpu, p99 })

test('a ratio compares within a round, so that a slow round changes nothing', () => {
  const rounds = new Rounds<'bare' | 'ours'>()
  for (const slowness of [1, 1, 4]) {
    rounds.add('bare', reading(100 / slowness, 8 * slowness, 2 * slowness))
    rounds.add('ours', reading(75 / slowness, 10 * slowness, 3 * slowness))
  }
  expect(rounds.ratio('ours', 'bare', 'requestsPerSecond')).toBe(0.75)
  expect(rounds.ratio('ours', 'bare', 'cpu')).toBe(0.8)
  expect(rounds.ratio('ours', 'bare', 'p99')).toBe(1.5)
  expect(rounds.of('bare', 'cpu')).toBe(8)
})

test('what was not measured has no ratio', () => {
  const rounds = new Rounds<'bare' | 'ours'>()
  rounds.add('ours', reading(1, 1))
  expect(rounds.ratio('ours', 'bare', 'cpu')).toBeNaN()
  expect(rounds.of('bare', 'cpu')).toBeNaN()
})

test('rounds are interleaved', async () => {
  const order: string[] = []
  const said: string[] = []
  const report = { progress: (text: string) => said.push(text), add() {} }
  await measureInRounds(['a', 'b'], 2, report, async (name) => {
    order.push(name)
    return reading(1, 1)
  })
  expect(order).toEqual(['a', 'b', 'a', 'b'])
  expect(said[2]).toBe('round 2/2: a')
})

test('slices go by turns, and the first, which warms up, is not counted', async () => {
  const order: string[] = []
  const contenders = ['a', 'b'].map((name) => ({ name, run: (slice: number) => order.push(`${name}${slice}`) }))
  const times = await timeInSlices(contenders, { slices: 2, calls: 1 })
  expect(order).toEqual(['a0', 'b0', 'a1', 'b1', 'a2', 'b2'])
  expect([...times.keys()]).toEqual(['a', 'b'])
})

/** What `wrk --latency` prints. */
function outputOf(requests: number, refused: number): string {
  const lines = [
    'Running 8s test @ http://127.0.0.1:3000/',
    '  Latency Distribution',
    '     50%  301.00us',
    '     99%    1.25ms',
    `  ${requests} requests in 8.00s, 12.34MB read`,
    ...(refused > 0 ? [`  Non-2xx or 3xx responses: ${refused}`] : []),
    'Requests/sec: 100000.50',
    'Transfer/sec:      1.54MB',
  ]
  return lines.join('\n')
}

describe('what wrk says', () => {
  test('is read', () => {
    expect(parseReading(outputOf(800_000, 0), 6_400_000)).toEqual({ requestsPerSecond: 100_000.5, p99: 1.25, cpu: 8 })
  })

  test.each([
    ['one refusal where all should be let in', 800_000, 1, false],
    ['no refusal where all should be refused', 800_000, 0, true],
    ['some answers where all should be refused', 800_000, 700_000, true],
  ])('is no figure with %s', (_, requests, refused, isRefused) => {
    expect(() => parseReading(outputOf(requests, refused), 1, isRefused)).toThrow(`${refused} of ${requests}`)
  })

  test('is a figure of refusals with the few that were within the limit', () => {
    expect(parseReading(outputOf(800_000, 799_990), 1, true).requestsPerSecond).toBe(100_000.5)
  })

  test('is no figure where answers are missing', () => {
    const errors = (timeouts: number) =>
      `${outputOf(800_000, 0)}\n  Socket errors: connect 0, read 0, write 0, timeout ${timeouts}`
    expect(() => parseReading(errors(10), 1)).toThrow('wrk had Socket errors: connect 0, read 0, write 0, timeout 10')
    expect(parseReading(errors(0), 1).p99).toBe(1.25)
  })

  test.each(['', 'unable to connect', outputOf(0, 0)])('is a mistake when it cannot be read', (output) => {
    expect(() => parseReading(output, 1)).toThrow('nothing that can be read')
  })
})
