import { afterEach, beforeEach, expect, spyOn, test } from 'bun:test'
import { tmpdir } from 'node:os'
import { runSteps, type Step } from '../../scripts/checks/steps.ts'

let printed: string[] = []
const spies: { mockRestore(): void }[] = []

beforeEach(() => {
  printed = []
  spies.push(
    spyOn(console, 'log').mockImplementation((line: string) => void printed.push(`${line}\n`)),
    spyOn(process.stdout, 'write').mockImplementation((text: string | Uint8Array) => printed.push(String(text)) > 0),
  )
})

afterEach(() => {
  for (const spy of spies.splice(0)) spy.mockRestore()
})

function step(name: string, code: string): Step {
  return { name, args: ['-e', code] }
}

test('runs every step, also after a failure, and names those that failed', async () => {
  const steps = [step('one', 'process.exit(3)'), step('two', ''), step('three', 'throw new Error("boom")')]
  expect(await runSteps(steps, tmpdir())).toEqual(['one', 'three'])
  const out = printed.join('')
  expect(out).toMatch(/^FAIL {2}one \(\d+\.\d s, exit 3\)/m)
  expect(out).toMatch(/^ok {4}two \(\d+\.\d s\)$/m)
  expect(out).toContain('boom')
})

test('is silent about what a passing step said, but for the tests it counted', async () => {
  const steps = [
    step('quiet', 'console.log("chatter")'),
    step('tests', 'console.error(" 12 pass\\n 2 skip\\n 0 fail")'),
  ]
  expect(await runSteps(steps, tmpdir())).toEqual([])
  expect(printed.join('')).not.toContain('chatter')
  expect(printed.at(-1)).toMatch(/: 12 passed, 2 skipped\n$/)
})
