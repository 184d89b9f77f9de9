/** Storage tells how long its verbs take and which fail, and answers as if nobody listened. */
import { describe, expect, test } from 'bun:test'
import { MachineAuthError } from '../../src/errors.ts'
import { observed } from '../../src/storage/observed.ts'
import type { Storage } from '../../src/storage/ports.ts'
import { createMemoryStorage } from '../support/memory-storage.ts'

function observe(storage: Storage) {
  const heard: string[] = []
  let now = 0
  const stopwatch = () => (now += 5)
  const meter = {
    verb: (port: string, elapsed: number, isFailure: boolean) =>
      void heard.push(`${port} ${elapsed} ${isFailure ? 'failed' : 'well'}`),
  }
  return { heard, storage: observed(storage, meter, stopwatch) }
}

/** Storage with one verb of its own. */
function withVerb(find: () => Promise<null>): Storage {
  const memory = createMemoryStorage()
  return { ...memory, keys: { ...memory.keys, find } }
}

describe('a verb', () => {
  test('answers what it answers, and is told of with its port', async () => {
    const { heard, storage } = observe(withVerb(async () => null))
    expect(await storage.keys.find('key_1')).toBeNull()
    expect(heard).toEqual(['keys 5 well'])
  })

  test.each([
    { name: 'an error of the driver', error: new Error('connection reset'), how: 'failed' },
    { name: 'storage_unavailable', error: new MachineAuthError('storage_unavailable'), how: 'failed' },
    { name: 'conflict', error: new MachineAuthError('conflict'), how: 'well' },
    { name: 'validation_failed', error: new MachineAuthError('validation_failed'), how: 'well' },
  ])('that rejects with $name rejects with it, and is told of as $how', async ({ error, how }) => {
    const { heard, storage } = observe(withVerb(() => Promise.reject(error)))
    expect(await storage.keys.find('key_1').catch((reason: unknown) => reason)).toBe(error)
    expect(heard).toEqual([`keys 5 ${how}`])
  })

  test('that throws at once is left to throw', () => {
    const broken = new Error('broken')
    const { storage } = observe(
      withVerb(() => {
        throw broken
      }),
    )
    expect(() => storage.keys.find('key_1')).toThrow(broken)
  })

  test('that answers at once has asked no table, and is not told of', () => {
    const { heard, storage } = observe(createMemoryStorage())
    expect(typeof storage.changes.version()).toBe('number')
    expect(heard).toEqual([])
  })
})
