import { expect, test } from 'bun:test'
import { isGone, nameOwner } from '../../../../src/recording/usage/journal/owner.ts'

/** The name with one of its words changed; the last are the process and when it started. */
const change = (place: number, word: string) => nameOwner().split(' ').with(place, word).join(' ')

test.each([
  ['this process', nameOwner(), false],
  ['a process of this number that started at another time', change(-1, '1'), true],
  ['a number that no process has', change(-2, '4194305'), true],
  ['a process of another container', change(-3, 'pid:[1]'), false],
  ['a process of another machine, or from before it was restarted', change(0, crypto.randomUUID()), false],
  ['nobody', '', false],
  ['something else', 'x y z', false],
])('%s', (_, owner, expected) => {
  expect(isGone(owner)).toBe(expected)
})

test('a process is gone once it has ended', async () => {
  const script = `console.log((await import(${JSON.stringify(require.resolve('../../../../src/recording/usage/journal/owner.ts'))})).nameOwner()); await new Promise(() => setTimeout(() => {}, 60_000))`
  const child = Bun.spawn([process.execPath, '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const { value } = await child.stdout.getReader().read()
  const owner = new TextDecoder().decode(value).trim()
  expect(isGone(owner)).toBe(false)
  child.kill('SIGKILL')
  await child.exited
  expect(isGone(owner)).toBe(true)
}, 20_000)
