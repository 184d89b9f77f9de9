/** What is away is asked by one call at a time, and nobody waits for that one. */
import { describe, expect, spyOn, test } from 'bun:test'
import { Circuit } from '../../../src/lib/resilience/circuit.ts'
import { until } from '../../support/until.ts'

class AwayError extends Error {}
class RefusedError extends Error {}

const away = () => Promise.reject(new AwayError('away'))
const wrong = () => Promise.reject(new TypeError('wrong'))
const well = async () => 'well'
const nameOf = (error: unknown) => Object(error).constructor.name

function create() {
  const heard: string[] = []
  const circuit = new Circuit({
    isAway: (error) => error instanceof AwayError,
    refuse: () => new RefusedError('refused'),
    onChange: (failure) => void heard.push(failure === null ? 'closed' : nameOf(failure.error)),
    onVain: (error) => void heard.push(`vain ${nameOf(error)}`),
  })
  const come = (call: () => Promise<string>) => circuit.run(call).catch(nameOf)
  async function open(): Promise<void> {
    for (let count = 0; count < 5; count += 1) await come(away)
  }
  /** Begins a call as soon as one is let through. */
  async function begin(call: () => Promise<string>): Promise<{ readonly came: Promise<string> }> {
    let isAsked = false
    let came = Promise.resolve('')
    await until(() => {
      came = come(() => {
        isAsked = true
        return call()
      })
      return isAsked
    })
    return { came }
  }
  return { circuit, heard, come, open, begin }
}

describe('a circuit', () => {
  test.each([
    { name: 'five that are away', calls: [away, away, away, away, away], isOpen: true },
    { name: 'four that are away', calls: [away, away, away, away], isOpen: false },
    { name: 'five that are wrong', calls: [wrong, wrong, wrong, wrong, wrong], isOpen: false },
    { name: 'an answer in between', calls: [away, away, well, away, away, away], isOpen: false },
  ])('after $name: open is $isOpen', async ({ calls, isOpen }) => {
    const { circuit, come, heard } = create()
    for (const call of calls) await come(call)
    expect([circuit.isOpen, heard]).toEqual([isOpen, isOpen ? ['AwayError'] : []])
    expect(await come(well)).toBe(isOpen ? 'RefusedError' : 'well')
  })

  test('lets one call try, refuses all others at once meanwhile, and closes when it is answered', async () => {
    const { circuit, come, open, begin, heard } = create()
    await open()
    const answer = Promise.withResolvers<string>()
    const { came } = await begin(() => answer.promise)
    const others = await Promise.all(Array.from({ length: 50 }, () => come(well)))
    expect(new Set(others)).toEqual(new Set(['RefusedError']))
    expect(circuit.isOpen).toBeTrue()
    answer.resolve('back')
    expect(await came).toBe('back')
    expect([circuit.isOpen, await come(well), heard]).toEqual([false, 'well', ['AwayError', 'closed']])
  })

  test.each([
    { name: 'in vain: it opens again, for longer', call: away, isOpen: true, heard: ['AwayError', 'vain AwayError'] },
    { name: 'with a refusal: what refuses is there', call: wrong, isOpen: false, heard: ['closed', 'vain TypeError'] },
  ])('tried $name', async ({ call, isOpen, heard: expected }) => {
    const { circuit, open, begin, heard } = create()
    await open()
    const { came } = await begin(call)
    await came
    expect([circuit.isOpen, heard]).toEqual([isOpen, ['AwayError', ...expected]])
  })
})

describe('a circuit while the clock is set', () => {
  const HOUR = 3_600_000

  test('back by an hour lets one call try all the same, and each pause lasts as long as it should', async () => {
    const { circuit, open, begin, come } = create()
    await open()
    const real = Date.now
    const clock = spyOn(Date, 'now').mockImplementation(() => real() - HOUR)
    try {
      // Once more after each pause, while the clock goes further back.
      for (const hours of [2, 3]) {
        const { came } = await begin(away)
        expect(await came).toBe('AwayError')
        clock.mockImplementation(() => real() - hours * HOUR)
      }
      expect(await come(well)).toBe('RefusedError')
      const { came } = await begin(well)
      expect([await came, circuit.isOpen]).toEqual(['well', false])
    } finally {
      clock.mockRestore()
    }
  })

  test('forward by an hour keeps its pause', async () => {
    const { open, come } = create()
    await open()
    const real = Date.now
    const clock = spyOn(Date, 'now').mockImplementation(() => real() + HOUR)
    try {
      expect(await come(well)).toBe('RefusedError')
    } finally {
      clock.mockRestore()
    }
  })
})
