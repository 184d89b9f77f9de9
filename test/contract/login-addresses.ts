import { beforeEach, describe, expect, test } from 'bun:test'
import { NOW } from './fixtures.ts'
import { atOnce, changesOf, fiftyTimes, type Open, type Opened } from './support.ts'

const ADDRESSES = ['a', 'b', 'c', 'd', 'e']

export function describeLoginAddressStore(name: string, open: Open): void {
  describe(name, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    const addresses = () => opened.storage.loginAddresses
    const known = async (candidates: readonly string[] = ADDRESSES, account = 'user_1') => {
      const answers = await Promise.all(candidates.map((address) => addresses().knows(account, address)))
      return candidates.filter((_, index) => answers[index] === true)
    }

    test('knows an address of the account it was remembered for', async () => {
      await addresses().remember('user_1', '2001:db8::/64', NOW, 10)
      expect(await addresses().knows('user_1', '2001:db8::/64')).toBeTrue()
      expect(await addresses().knows('user_1', '2001:db8:1::/64')).toBeFalse()
      expect(await addresses().knows('user_2', '2001:db8::/64')).toBeFalse()
    })

    const sequences: readonly {
      readonly name: string
      readonly logins: readonly (readonly [address: string, at: number])[]
      readonly keep: number
      readonly kept: readonly string[]
    }[] = [
      {
        name: 'the oldest is forgotten',
        logins: [
          ['a', 1],
          ['b', 2],
          ['c', 3],
          ['d', 4],
        ],
        keep: 3,
        kept: ['b', 'c', 'd'],
      },
      {
        name: 'as many as are kept are kept',
        logins: [
          ['a', 1],
          ['b', 2],
          ['c', 3],
        ],
        keep: 3,
        kept: ['a', 'b', 'c'],
      },
      {
        name: 'one used again counts by its last use',
        logins: [
          ['a', 1],
          ['b', 2],
          ['a', 3],
          ['c', 4],
        ],
        keep: 2,
        kept: ['a', 'c'],
      },
      {
        name: 'a late report of an earlier use moves nothing back',
        logins: [
          ['a', 5],
          ['b', 4],
          ['a', 1],
          ['c', 6],
        ],
        keep: 2,
        kept: ['a', 'c'],
      },
      {
        name: 'a smaller number forgets the rest',
        logins: [
          ['a', 1],
          ['b', 2],
          ['b', 3],
        ],
        keep: 1,
        kept: ['b'],
      },
      {
        name: 'of the same moment as many as are kept are kept',
        logins: [
          ['a', 1],
          ['b', 1],
          ['c', 1],
        ],
        keep: 2,
        kept: ['b', 'c'],
      },
    ]

    test.each([...sequences])('$name', async ({ logins, keep, kept }) => {
      await addresses().remember('user_2', 'a', NOW - 1000, keep)
      for (const [address, at] of logins) await addresses().remember('user_1', address, NOW + at, keep)
      expect(await known()).toEqual([...kept])
      expect(await known(ADDRESSES, 'user_2')).toEqual(['a'])
    })

    test('of 50 new addresses at once the latest are kept', async () => {
      const all = Array.from({ length: 50 }, (_, index) => `address ${index}`)
      await fiftyTimes((index) => addresses().remember('user_1', `address ${index}`, NOW + ((index * 7) % 50), 3))
      const latest = all.filter((_, index) => (index * 7) % 50 >= 47)
      expect(await known(all)).toEqual(latest)
    })

    test('100 logins from few addresses at once all end, and keep the latest', async () => {
      await atOnce(100, (index) => addresses().remember('user_1', ADDRESSES[index % 5] ?? '', NOW + index, 2))
      expect(await known()).toEqual(['d', 'e'])
    })

    test('purges what was last used before a moment, without a change', async () => {
      await addresses().remember('user_1', 'a', NOW - 1, 10)
      await addresses().remember('user_1', 'b', NOW, 10)
      await addresses().remember('user_1', 'c', NOW - 1, 10)
      await addresses().remember('user_1', 'c', NOW + 1, 10)
      expect(await addresses().purge(NOW)).toBe(1)
      expect(await known()).toEqual(['b', 'c'])
      expect(await changesOf(opened.storage)).toEqual([])
    })
  })
}
