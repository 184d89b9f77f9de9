/** What the error pages send a person to must be there: endpoints and commands. */
import { expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { createProgram } from '../../src/cli/program.ts'
import { createProcessIo } from '../../src/cli/terminal/io.ts'
import { listRoutes } from '../../src/guards/listing.ts'
import { machineAuth } from '../../src/plugin.ts'
import { createTestCore } from '../support/test-app.ts'
import { PAGE_CODES, readErrorPage } from './error-pages.ts'

const pages = PAGE_CODES.map((code) => readErrorPage(code).text).join('\n')

/** What the pages name, each once. */
function named(pattern: RegExp): readonly string[] {
  return [...new Set([...pages.matchAll(pattern)].map(([, found = '']) => found))]
}

test('every endpoint that a page names is one', async () => {
  const { core } = createTestCore()
  await using _ = core
  const routes = listRoutes(new Elysia().use(machineAuth(core))).map(({ method, path }) => `${method} ${path}`)
  const endpoints = named(/`((?:GET|POST|PUT|PATCH|DELETE) \/auth\/[^`?]*)/g)
  expect(endpoints.length).toBeGreaterThan(10)
  // An example of an id stands for any.
  expect(endpoints.filter((endpoint) => !routes.includes(endpoint.replace(/key_[^/]+/, ':id')))).toEqual([])
})

test('every command that a page names is one', () => {
  const program = createProgram({ io: createProcessIo(), exitCode: 0 })
  const commands = program.commands.flatMap((group) => [
    group.name(),
    ...group.commands.map((command) => `${group.name()} ${command.name()}`),
  ])
  const mentioned = named(/`machine-auth ([a-z]+(?: [a-z-]+)?)/g)
  expect(mentioned.length).toBeGreaterThan(5)
  expect(mentioned.filter((command) => !commands.includes(command))).toEqual([])
})
