/** Roles of the options that inherit from each other. */
import { describe, expect, test } from 'bun:test'
import { OptionsError } from '../../src/options/mistakes.ts'
import type { MachineAuthOptions } from '../../src/options/types.ts'
import { resolve } from './support.ts'

type Roles = NonNullable<MachineAuthOptions['roles']>

const role = (permissions: readonly string[], ...inherits: string[]) => ({ permissions, inherits })

describe('a role grants what it inherits', () => {
  test.each<[string, Roles, Record<string, readonly string[]>]>([
    ['nothing inherited', { a: role(['x.view']) }, { a: ['x.view'] }],
    ['from a list', { a: role(['x.view'], 'b'), b: ['y:view'] }, { a: ['x.view', 'y.view'], b: ['y.view'] }],
    [
      'through others, each once',
      { a: role(['x.view'], 'b', 'c'), b: role(['y.view'], 'd'), c: role([], 'd'), d: ['z.*', 'x.view'] },
      { a: ['x.view', 'y.view', 'z.*'], b: ['y.view', 'z.*', 'x.view'], c: ['z.*', 'x.view'], d: ['z.*', 'x.view'] },
    ],
  ])('%s', (_, roles, expected) => {
    expect({ ...resolve({ options: { roles } }).roles }).toEqual(expected)
  })
})

describe('a cycle stops the start', () => {
  test.each<[string, Roles, readonly string[]]>([
    ['of one', { a: role([], 'a') }, ['roles.a.inherits[0]']],
    ['of two', { a: role([], 'b'), b: role([], 'a') }, ['roles.a.inherits[0]', 'roles.b.inherits[0]']],
    [
      'of three, beside a role outside of it',
      { a: role([], 'b'), b: role([], 'c'), c: role([], 'd', 'a'), d: ['x.view'] },
      ['roles.a.inherits[0]', 'roles.b.inherits[0]', 'roles.c.inherits[1]'],
    ],
  ])('%s', (_, roles, paths) => {
    let mistakes = ''
    try {
      resolve({ options: { roles } })
    } catch (error) {
      expect(error).toBeInstanceOf(OptionsError)
      mistakes = String(error)
    }
    for (const path of paths) expect(mistakes).toContain(path)
    expect(mistakes.match(/inherits\[/g)).toHaveLength(paths.length)
  })
})
