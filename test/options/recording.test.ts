/** The options of what is recorded of requests, and of the end. */
import { describe, expect, test } from 'bun:test'
import type { RequestLogEntry } from '../../src/options/recording-types.ts'
import { failure, resolve, SECRET } from './support.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

const given = (options: object) => resolve({ options: { secret: SECRET, ...options } })

describe('are brought into one form', () => {
  test('durations in ms, names in lower case, each once', () => {
    const resolved = given({
      usage: {
        flushInterval: 5,
        durability: 'journaled',
        journal: '/var/lib/app',
        retention: '7d',
        dailyRetention: '1w',
      },
      logging: { mode: 'redacted', retention: '12h', maxBody: 0, redact: ['IBAN', 'iban', 'X-Pin'] },
      metrics: { open: true },
      shutdown: { delay: '5s', timeout: 60 },
    })
    expect(resolved).toMatchObject({
      usage: {
        flushInterval: 5000,
        batchSize: 200,
        durability: 'journaled',
        journal: '/var/lib/app',
        retention: 7 * DAY,
        dailyRetention: 7 * DAY,
      },
      logging: { mode: 'redacted', retention: 12 * HOUR, maxBody: 0, redact: ['iban', 'x-pin'] },
      metrics: { open: true },
      shutdown: { delay: 5000, timeout: 60_000 },
      warnings: [],
    })
  })

  test.each(['usage', 'metrics', 'shutdown'] as const)('%s: false is off, empty is the default', (option) => {
    expect(given({ [option]: false })[option]).toBe(false)
    expect(given({ [option]: {} })[option]).toEqual(given({})[option])
  })
})

describe('mistakes', () => {
  test.each<[object, string, string, string]>([
    [{ usage: true }, 'usage', 'a boolean', 'false or an object { flushInterval, batchSize, durability, journal'],
    [{ usage: 'off' }, 'usage', 'a text', 'false or an object'],
    [{ usage: { flushInterval: '0s' } }, 'usage.flushInterval', '"0s"', 'above zero'],
    [{ usage: { flushInterval: 3601 } }, 'usage.flushInterval', "'3601s'", "at most '1h'"],
    [{ usage: { batchSize: 0 } }, 'usage.batchSize', '0', 'a whole number from 1 to 10000'],
    [{ usage: { batchSize: 10_001 } }, 'usage.batchSize', '10001', 'a whole number from 1 to 10000'],
    [{ usage: { durability: 'exact' } }, 'usage.durability', '"exact"', "'buffered' or 'journaled'"],
    [{ usage: { journal: '' } }, 'usage.journal', 'an empty text', 'a directory'],
    [{ usage: { retention: 'for ever' } }, 'usage.retention', '"for ever"', 'above zero'],
    [{ usage: { dailyRetention: 0 } }, 'usage.dailyRetention', '0', 'above zero'],
    [{ usage: { flushIntervall: '1s' } }, 'usage.flushIntervall', 'a text', 'did you mean usage.flushInterval?'],
    [{ logging: 'raw' }, 'logging', 'a text', 'an object { mode, retention'],
    [{ logging: false }, 'logging', 'a boolean', 'an object { mode, retention'],
    [
      { logging: { mode: 'metadata' } },
      'logging.mode',
      '"metadata"',
      "'off' or 'metadata_only' or 'redacted' or 'raw'",
    ],
    [{ logging: { mode: false } }, 'logging.mode', 'false', "'off' or 'metadata_only'"],
    [{ logging: { retention: '0s' } }, 'logging.retention', '"0s"', 'above zero'],
    [{ logging: { maxBody: -1 } }, 'logging.maxBody', '-1', 'a whole number from 0 to 1048576'],
    [{ logging: { maxBody: '8kb' } }, 'logging.maxBody', '"8kb"', 'a whole number from 0 to 1048576'],
    [{ logging: { redact: 'iban' } }, 'logging.redact', '"iban"', 'a list of names'],
    [{ logging: { redact: ['iban', ''] } }, 'logging.redact[1]', 'an empty text', '1 to 256 characters'],
    [{ logging: { redact: [/iban/] } }, 'logging.redact[0]', 'an object', '1 to 256 characters'],
    [{ logging: { unsafeRaw: 'yes' } }, 'logging.unsafeRaw', '"yes"', 'true or false'],
    [{ logging: { sink: {} } }, 'logging.sink', 'an object', 'an object { write } with a function (batch)'],
    [{ logging: { sink: { write: 'kafka' } } }, 'logging.sink', 'an object', 'an object { write }'],
    [{ logging: { sink: () => undefined } }, 'logging.sink', 'a function', 'an object { write }'],
    [{ logging: { level: 'debug' } }, 'logging.level', 'a text', 'no option of that name'],
    [{ metrics: true }, 'metrics', 'a boolean', 'false or an object { open }'],
    [{ metrics: { open: 1 } }, 'metrics.open', '1', 'true or false'],
    [{ metrics: { path: '/metrics' } }, 'metrics.path', 'a text', 'no option of that name'],
    [{ shutdown: true }, 'shutdown', 'a boolean', 'false or an object { delay, timeout }'],
    [{ shutdown: { timeout: '61s' } }, 'shutdown.timeout', "'61s'", "at most '60s'"],
    [{ shutdown: { delay: '2m' } }, 'shutdown.delay', "'2m'", "at most '60s'"],
    [{ shutdown: { timeout: 'soon' } }, 'shutdown.timeout', '"soon"', "'30s'"],
  ])('%j', (options, path, shown, accepted) => {
    const { mistakes } = failure({ options: { secret: SECRET, ...options } })
    expect(mistakes).toHaveLength(1)
    expect(mistakes[0]).toMatchObject({ path, given: shown })
    expect(mistakes[0]?.accepted).toContain(accepted)
  })
})

describe('warnings', () => {
  const sink = { write: () => undefined }

  test.each<[string, object, string]>([
    ['raw', { logging: { mode: 'raw' } }, "logging.mode is 'raw'"],
    ['raw with credentials', { logging: { mode: 'raw', unsafeRaw: true } }, 'can act as anybody'],
    ['credentials in a mode without them', { logging: { mode: 'redacted', unsafeRaw: true } }, 'no effect'],
    ['a sink that gets nothing', { logging: { sink } }, 'logging.sink'],
    ['a journal that nobody writes', { usage: { journal: 'elsewhere' } }, 'usage.journal has no effect'],
    ['days forgotten before their hours', { usage: { dailyRetention: '89d' } }, 'usage.dailyRetention'],
  ])('%s', (_name, options, text) => {
    const { warnings } = given(options)
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain(text)
  })

  test('are the same in production', () => {
    const options = { secret: SECRET, logging: { mode: 'raw', unsafeRaw: true } }
    const { warnings } = resolve({ options, env: { NODE_ENV: 'production' } })
    expect(warnings).toEqual([expect.stringContaining('logging.unsafeRaw is on')])
  })

  test.each<[string, object]>([
    [
      'what is meant',
      { logging: { mode: 'redacted', sink }, usage: { durability: 'journaled', journal: 'elsewhere' } },
    ],
    ['the longest', { usage: { flushInterval: '1h', dailyRetention: '90d' }, shutdown: { delay: '60s', timeout: 60 } }],
    ['nothing of it', { usage: false, metrics: false, shutdown: false, logging: { unsafeRaw: false } }],
  ])('none of %s', (_name, options) => {
    expect(given(options).warnings).toEqual([])
  })
})

describe('a sink', () => {
  test('is taken as it is, so that it finds what it keeps in itself', async () => {
    const sink = {
      batches: [] as number[],
      write(batch: readonly RequestLogEntry[]) {
        this.batches.push(batch.length)
      },
    }
    const { logging } = given({ logging: { mode: 'metadata_only', sink } })
    expect(logging.sink).toBe(sink)
    await logging.sink?.write([])
    expect(sink.batches).toEqual([0])
  })

  test('may be an instance of a class', () => {
    class Queue {
      write() {}
    }
    const sink = new Queue()
    expect(given({ logging: { mode: 'metadata_only', sink } }).logging.sink).toBe(sink)
  })
})
