import { describe, expect, test } from 'bun:test'
import { scanImports } from '../../scripts/imports/scan.ts'
import { type ViolationKind, verifyImports } from '../../scripts/imports/verify.ts'

type Tree = Record<string, string>

const CLEAN: Tree = {
  'index.ts': `export { machineAuth } from './plugin.ts'\nexport type { Made } from './keys/service.ts'`,
  'plugin.ts': `import { Elysia } from 'elysia'\nimport { core } from './core.ts'\nimport { guard } from './guards/macros.ts'\nexport const machineAuth = () => new Elysia().use(guard(core))`,
  'core.ts': `import { keys } from './keys/service.ts'\nimport { open } from './storage/open.ts'\nexport const core = keys(open())`,
  'guards/macros.ts': `import type { Elysia } from 'elysia'\nimport { MachineAuthError } from '../errors.ts'\nexport const guard = (core: unknown): Elysia => { throw new MachineAuthError(String(core)) }`,
  'keys/service.ts': `import type { Row } from '../storage/records.ts'\nimport { hash } from './hash.ts'\nexport type Made = Row\nexport const keys = (_: unknown) => hash`,
  'keys/hash.ts': `import { timingSafeEqual } from 'node:crypto'\nexport const hash = timingSafeEqual`,
  'storage/open.ts': `export async function open() { return import('./drizzle/open.ts') }`,
  'storage/drizzle/open.ts': `import migration from './0001.sql' with { type: 'text' }\nexport const text = migration`,
  'storage/records.ts': `export interface Row { readonly id: string }`,
  'options/types.ts': `import type { Row } from '../storage/records.ts'\nimport { version } from '../../package.json'\nexport type Given = Row | typeof version`,
  'credentials/format.ts': `import type { Row } from '../storage/records.ts'\nexport type Text = Row['id']`,
  'errors.ts': `export class MachineAuthError extends Error {}`,
}

function kindsOf(change: Tree): [ViolationKind, string][] {
  return verifyImports(new Map(Object.entries({ ...CLEAN, ...change }))).map(({ kind, file }) => [kind, file])
}

describe('verifyImports', () => {
  test('passes a tree whose imports all go down', () => {
    expect(verifyImports(new Map(Object.entries(CLEAN)))).toEqual([])
  })

  const refused: { name: string; change: Tree; expected: [ViolationKind, string][] }[] = [
    {
      name: 'an import of a room above',
      change: { 'lib/bad.ts': `import { hash } from '../keys/hash.ts'\nexport const bad = hash` },
      expected: [['upward', 'lib/bad.ts']],
    },
    {
      name: 'an import of a room above that is only a type',
      change: { 'credentials/bad.ts': `import type { Made } from '../keys/service.ts'\nexport type Bad = Made` },
      expected: [['upward', 'credentials/bad.ts']],
    },
    {
      name: 'an import of a room above inside a type',
      change: { 'credentials/bad.ts': `export type Bad = import('../keys/service.ts').Made` },
      expected: [['upward', 'credentials/bad.ts']],
    },
    {
      name: 'a value where options may only take types',
      change: { 'options/bad.ts': `import { Row } from '../storage/records.ts'\nexport const bad = Row` },
      expected: [['upward', 'options/bad.ts']],
    },
    {
      name: 'options reaching for other files of storage, even for types',
      change: { 'options/bad.ts': `import type { text } from '../storage/open.ts'\nexport type Bad = typeof text` },
      expected: [['upward', 'options/bad.ts']],
    },
    {
      name: 'an import of a room beside',
      change: { 'tokens/bad.ts': `import { hash } from '../keys/hash.ts'\nexport const bad = hash` },
      expected: [['sideways', 'tokens/bad.ts']],
    },
    {
      name: 'the barrel from inside',
      change: { 'guards/bad.ts': `import { machineAuth } from '../index.ts'\nexport const bad = machineAuth` },
      expected: [['barrel', 'guards/bad.ts']],
    },
    {
      name: 'the package by its own name',
      change: { 'cli/bad.ts': `import { machineAuth } from 'elysia-machine-auth'\nexport const bad = machineAuth` },
      expected: [['barrel', 'cli/bad.ts']],
    },
    {
      name: 'the adapter from a service',
      change: { 'keys/bad.ts': `import { text } from '../storage/drizzle/open.ts'\nexport const bad = text` },
      expected: [['adapter', 'keys/bad.ts']],
    },
    {
      name: 'Elysia in a service, even as a type',
      change: { 'keys/bad.ts': `import type { Elysia } from 'elysia'\nexport type Bad = Elysia` },
      expected: [['package', 'keys/bad.ts']],
    },
    {
      name: 'a plugin of Elysia in the core',
      change: { 'core.ts': `import { swagger } from '@elysiajs/swagger'\nexport const core = swagger` },
      expected: [['package', 'core.ts']],
    },
    {
      name: 'an import without its extension',
      change: { 'keys/bad.ts': `import { hash } from './hash'\nexport const bad = hash` },
      expected: [['unresolved', 'keys/bad.ts']],
    },
    {
      name: 'an import from outside of src',
      change: { 'lib/bad.ts': `import { help } from '../../test/help.ts'\nexport const bad = help` },
      expected: [['unresolved', 'lib/bad.ts']],
    },
    {
      name: 'a room the table does not know, and an import of it',
      change: {
        'attic/box.ts': `export const box = 1`,
        'plugin.ts': `import { box } from './attic/box.ts'\nexport const machineAuth = box`,
      },
      expected: [
        ['unknown-room', 'attic/box.ts'],
        ['unknown-room', 'plugin.ts'],
      ],
    },
  ]
  test.each(refused)('reports $name', ({ change, expected }) => {
    expect(kindsOf(change)).toEqual(expected)
  })

  test('reports a cycle once, with its way', () => {
    const files = new Map([
      ['lib/a.ts', `import { b } from './b.ts'\nexport const a = b`],
      ['lib/b.ts', `import { c } from './c.ts'\nexport const b = c`],
      ['lib/c.ts', `import type { a } from './a.ts'\nexport const c: typeof a = 1`],
      ['lib/d.ts', `import { a } from './a.ts'\nexport const d = a`],
    ])
    expect(verifyImports(files)).toEqual([
      {
        kind: 'cycle',
        file: 'lib/a.ts',
        line: 0,
        message: 'is in a cycle: lib/a.ts → lib/b.ts → lib/c.ts → lib/a.ts',
      },
    ])
  })

  test('reports a file that imports itself as a cycle', () => {
    const files = new Map([['lib/a.ts', `import { b } from './a.ts'\nexport const a = b`]])
    expect(verifyImports(files).map(({ kind }) => kind)).toEqual(['cycle'])
  })

  test('names the line of the import', () => {
    const files = new Map([
      ['lib/a.ts', `/*\n\n*/\nimport { k } from '../keys/k.ts'`],
      ['keys/k.ts', ''],
    ])
    expect(verifyImports(files).map(({ line }) => line)).toEqual([4])
  })
})

describe('scanImports', () => {
  const cases: { name: string; source: string; expected: [specifier: string, typeOnly: boolean][] }[] = [
    { name: 'a value', source: `import { a } from './a.ts'`, expected: [['./a.ts', false]] },
    { name: 'a default and a namespace', source: `import a, * as b from "./a.ts"`, expected: [['./a.ts', false]] },
    { name: 'a side effect', source: `import './a.ts'`, expected: [['./a.ts', false]] },
    { name: 'a type', source: `import type { A } from './a.ts'`, expected: [['./a.ts', true]] },
    { name: 'a type namespace', source: `import type * as A from './a.ts'`, expected: [['./a.ts', true]] },
    { name: 'only inline types', source: `import { type A, type B } from './a.ts'`, expected: [['./a.ts', true]] },
    { name: 'a type beside a value', source: `import { type A, b } from './a.ts'`, expected: [['./a.ts', false]] },
    { name: 'a default that is called type', source: `import type from './a.ts'`, expected: [['./a.ts', false]] },
    { name: 'a value that is called type', source: `import { type } from './a.ts'`, expected: [['./a.ts', false]] },
    {
      name: 'many lines with comments between',
      source: `import {\n  a, // from './no.ts'\n  /* } from './no.ts' */ b,\n} from './a.ts'`,
      expected: [['./a.ts', false]],
    },
    {
      name: 're-exports',
      source: `export * from './a.ts'\nexport { b } from './b.ts'`,
      expected: [
        ['./a.ts', false],
        ['./b.ts', false],
      ],
    },
    { name: 'a re-exported type', source: `export type { A } from './a.ts'`, expected: [['./a.ts', true]] },
    { name: 'a dynamic import', source: `const a = await import('./a.ts')`, expected: [['./a.ts', false]] },
    {
      name: 'a dynamic import inside a template',
      source: `const a = \`\${await import("./a.ts")}\``,
      expected: [['./a.ts', false]],
    },
    { name: 'an import in a comment', source: `// import { a } from './a.ts'\n/** import './b.ts' */`, expected: [] },
    { name: 'an import in a string', source: `const a = "import { a } from './a.ts'"`, expected: [] },
    {
      name: 'an import in a template',
      source: `const a = \`\nimport { a } from './a.ts'\n\${{ b: '}' }.b}\nimport './b.ts'\``,
      expected: [],
    },
    {
      name: 'a quote in a regular expression',
      source: `const a = /['"\`/]/.test(b)\nimport type { C } from './c.ts'`,
      expected: [['./c.ts', true]],
    },
    {
      name: 'a division',
      source: `const a = b / c\nimport type { D } from './d.ts' // e / f`,
      expected: [['./d.ts', true]],
    },
    { name: 'own exports', source: `export const from = 'a'\nexport { from }\nexport default 'b'`, expected: [] },
    {
      name: 'import.meta and a member called import',
      source: `const a = import.meta.dir + b.import('./a.ts')`,
      expected: [],
    },
  ]
  test.each(cases)('reads $name', ({ source, expected }) => {
    expect(scanImports(source).map(({ specifier, typeOnly }) => [specifier, typeOnly])).toEqual(expected)
  })
})
