import { expect, test } from 'bun:test'
import { ERROR_CODES, statusOf } from '../../src/errors.ts'

const root = `${import.meta.dir}/../..`
const readme = await Bun.file(`${root}/README.md`).text()

/** The lines from a heading to the next one of any level. */
function sectionOf(heading: string): string {
  const start = readme.indexOf(`\n${heading}\n`)
  if (start === -1) throw new Error(`README has no heading "${heading}"`)
  const rest = readme.slice(start + heading.length + 2)
  const end = rest.search(/^#/m)
  return end === -1 ? rest : rest.slice(0, end)
}

/** The names in backticks that begin the first cell of each row. */
function namesInTable(section: string): string[] {
  return section.split('\n').flatMap((line) => {
    const cell = /^\| ((?:`\w+`(?:, )?)+)/.exec(line)?.[1] ?? ''
    return [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name)
  })
}

test('shows the quickstart that examples/quickstart.ts runs', async () => {
  const shown = /```ts\n([\s\S]*?)```/.exec(readme)?.[1]
  expect(await Bun.file(`${root}/examples/quickstart.ts`).text()).toBe(shown ?? '')
})

test('lists every option there is and no other', async () => {
  const types = await Bun.file(`${root}/src/options/types.ts`).text()
  const body = /export interface MachineAuthOptions[^{]*\{\n([\s\S]*?)\n\}/.exec(types)?.[1] ?? ''
  const options = [...body.matchAll(/^ {2}readonly (\w+)\?/gm)].map(([, name = '']) => name)
  expect(options.length).toBeGreaterThan(10)
  expect(namesInTable(sectionOf('## Configuration')).sort()).toEqual(options.sort())
})

test('lists every error code in the row of its status', () => {
  const rows = sectionOf('## Errors')
    .split('\n')
    .filter((line) => /^\| \d/.test(line))
  const listed = rows.flatMap((row) => [...row.matchAll(/`(\w+)`/g)].map(([, code = '']) => code))
  expect(listed.sort()).toEqual([...ERROR_CODES].sort())
  for (const code of ERROR_CODES) {
    const row = rows.find((one) => one.includes(`\`${code}\``))
    expect(row?.split('|')[1]).toContain(String(statusOf(code)))
  }
})

test('marks the command that continuous integration runs', () => {
  expect(readme).toContain('<!-- ci: test -->\n```sh\nbun install && bun test --parallel --no-isolate\n```\n')
})
