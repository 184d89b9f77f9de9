import { describe, expect, test } from 'bun:test'
import { Script } from '../../../src/limits/redis/script.ts'

describe('a script', () => {
  test('is called by its name, and sent as text only to a server that does not know it', async () => {
    const sent: string[][] = []
    let knows = false
    const link = {
      async send(command: string, args: readonly string[]) {
        sent.push([command, ...args])
        if (command === 'EVALSHA' && !knows) throw new Error('NOSCRIPT No matching script. Please use EVAL.')
        knows = true
        return 'answer'
      },
    }
    const script = new Script('local a = 1', 'return a')
    expect(await script.run(link, ['k'], ['x', 'y'])).toBe('answer')
    expect(await script.run(link, ['k'], ['x', 'y'])).toBe('answer')
    const text = 'local a = 1\nreturn a'
    const name = Bun.SHA1.hash(text, 'hex')
    const rest = ['1', 'k', 'x', 'y']
    expect(sent).toEqual([
      ['EVALSHA', name, ...rest],
      ['EVAL', text, ...rest],
      ['EVALSHA', name, ...rest],
    ])
  })

  test('that fails is not run a second time', async () => {
    let calls = 0
    const link = {
      async send() {
        calls += 1
        throw new Error('WRONGTYPE')
      },
    }
    expect(new Script('return 1').run(link, [], [])).rejects.toThrow('WRONGTYPE')
    expect(calls).toBe(1)
  })

  test('is part of what a bundler makes of the package', async () => {
    const entry = new URL('../../../src/limits/redis/redis-limits.ts', import.meta.url).pathname
    const { outputs } = await Bun.build({ entrypoints: [entry], target: 'bun' })
    const [text] = await Promise.all(outputs.map((output) => output.text()))
    for (const part of ['strategies.e', 'strategies.s', 'strategies.c', 'strategies.b', 'ZREMRANGEBYSCORE']) {
      expect(text).toContain(part)
    }
  })
})
