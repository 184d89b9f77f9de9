import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { GROUP_NAMES, importGroup, isGroupName } from '../../bench/groups.ts'

test.each(GROUP_NAMES)('%s can be measured', async (name) => {
  expect(await importGroup(name)).toBeInstanceOf(Function)
})

test('a group that there is not is refused, with the names of those that there are', async () => {
  expect(isGroupName('guards')).toBe(true)
  expect(isGroupName('toString')).toBe(false)
  const run = Bun.spawn([process.execPath, join(import.meta.dir, '../../bench/run.ts'), 'guard'], { stderr: 'pipe' })
  expect(await run.exited).toBe(2)
  expect(await new Response(run.stderr).text()).toBe(`There is no guard; groups are: ${GROUP_NAMES.join(', ')}\n`)
})
