/** How the request log is read beside a database that does not take what is still to be written. */
import { expect, jest, test } from 'bun:test'
import { RequestLog } from '../../../src/recording/requests/service.ts'
import { START } from '../../support/test-app.ts'

test.each([
  ['fails', () => Promise.resolve(false), 0],
  ['hangs', () => new Promise<boolean>(() => undefined), 1000],
])('a list is answered while writing %s', async (_, flush, patience) => {
  jest.useFakeTimers()
  try {
    let asked = 0
    const log = new RequestLog({
      store: {
        async list() {
          asked += 1
          return { items: [], nextCursor: null }
        },
        purge: async () => 0,
      },
      clock: () => START,
      audit: { refuseOutOfReach: () => Promise.reject(new Error('not asked for')) },
      recorder: { flush },
      retention: 1000,
    })
    const listing = log.list()
    jest.advanceTimersByTime(patience)
    expect(await listing).toEqual({ items: [], nextCursor: null })
    expect(asked).toBe(1)
  } finally {
    jest.useRealTimers()
  }
})
