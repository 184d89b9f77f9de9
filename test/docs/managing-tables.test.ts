/** The tables that say who may do what, and by which name, are held to the code. */
import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { OWN_PERMISSIONS } from '../../src/authorization/own-permissions.ts'
import { createProgram } from '../../src/cli/program.ts'
import { createProcessIo } from '../../src/cli/terminal/io.ts'
import { commandsOf } from '../cli/commands.ts'
import { MANAGEMENT } from '../support/endpoints.ts'
import { createTestCore } from '../support/test-app.ts'

const DOCS = join(import.meta.dir, '../../docs')

/** The rows of the table that begins with a line, each as its cells. */
function rowsOf(page: string, head: string): readonly (readonly string[])[] {
  const text = readFileSync(join(DOCS, page), 'utf8')
  const start = text.indexOf(`\n${head}\n`)
  if (start === -1) throw new Error(`${page} has no table ${head}`)
  const table = text.slice(start + 1, text.indexOf('\n\n', start + 1))
  return table
    .split('\n')
    .slice(2)
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
}

const namesIn = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)

describe('users.md, the permissions of the management endpoints', () => {
  const rows = rowsOf('users.md', '| permission | what for | needs platform reach |')

  test('are all there are', () => {
    const named = rows.flatMap(([permission = '']) => namesIn(permission))
    expect(named.toSorted()).toEqual(OWN_PERMISSIONS.map(({ name }) => name).toSorted())
  })

  // Of each endpoint, the tests of tenancy prove which it is.
  test.each(rows.filter(([name]) => name !== '`platform.admin`').map(([name = '', , reach = '']) => [name, reach]))(
    '%s: %s',
    (name, reach) => {
      const reaches = new Set(
        MANAGEMENT.filter((each) => each.permission === namesIn(name)[0]).map((each) => each.reach),
      )
      if (reach === 'yes') expect([...reaches]).toEqual(['platform'])
      else if (reach === 'no') expect([...reaches]).toEqual(['tenant'])
      else expect([...reaches]).toContain('tenant')
    },
  )
})

describe('managing.md, all of it', () => {
  const rows = rowsOf('managing.md', '| what | HTTP | command | code |')
  const column = (index: number) => new Set(rows.flatMap((row) => namesIn(row[index] ?? '')))

  test('every management endpoint, and no other', () => {
    const named = [...column(1)].filter((name) => name.includes('/'))
    expect(named.toSorted()).toEqual(MANAGEMENT.map(({ route }) => route as string).toSorted())
  })

  test('every command on stored things, and no other', () => {
    const commands = commandsOf(createProgram({ io: createProcessIo(), exitCode: 0 }))
    const onOwnThings = ['init', 'serve', 'migrate', 'doctor', 'routes', 'secret generate', 'session end']
    const all = commands.filter(({ isGroup }) => !isGroup).map(({ name }) => name)
    expect([...column(2)].toSorted()).toEqual(all.filter((name) => !onOwnThings.includes(name)).toSorted())
  })

  test('methods that exist', async () => {
    const { core } = createTestCore()
    await core.ready
    const services: Readonly<Record<string, object | null>> = { ...core }
    for (const name of column(3)) {
      const [service = '', method = ''] = name.split('.')
      expect([name, typeof Reflect.get(services[service] ?? {}, method)]).toEqual([name, 'function'])
    }
    await core.close()
  })
})
