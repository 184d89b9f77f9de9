import { describe, expect, test } from 'bun:test'
import { resolve } from 'node:path'
import { isDatabase, maskDatabase, parseDatabase } from '../../src/options/database.ts'

describe('parseDatabase', () => {
  test.each([
    ['sqlite:machine-auth.db', { dialect: 'sqlite', file: resolve('machine-auth.db') }],
    ['sqlite:./data/a b.db', { dialect: 'sqlite', file: resolve('data/a b.db') }],
    ['sqlite:/var/lib/a.db', { dialect: 'sqlite', file: '/var/lib/a.db' }],
    ['sqlite:///var/lib/a.db', { dialect: 'sqlite', file: '/var/lib/a.db' }],
    ['sqlite::memory:', { dialect: 'sqlite', file: ':memory:' }],
    ['postgres://u:p@db:5432/app', { dialect: 'postgres', url: 'postgres://u:p@db:5432/app' }],
    ['postgresql://db/app?sslmode=require', { dialect: 'postgres', url: 'postgresql://db/app?sslmode=require' }],
  ] as const)('%s', (text, expected) => {
    expect(parseDatabase(text)).toEqual(expected)
    expect(isDatabase(text)).toBe(true)
  })

  test.each([
    '',
    'machine-auth.db',
    'sqlite:',
    'sqlite://host/file.db',
    'sqlite:file.db?mode=ro',
    'sqlite:a\0b',
    'SQLITE:a.db',
    'mysql://root:hunter2@db/app',
    'postgres:app',
    'postgres://',
    'postgres:///app',
    'postgres://u:hunter2@db:port/app?password=hunter2',
    'postgres://u:hunter2@db/app?sslmode=hunter2',
    'postgres://u:hunter2@db/app?sslmode=require&sslmode=disable',
    'redis://:hunter2@db',
  ])('refuses %p, naming the option and what is accepted, without the password', (text) => {
    expect(isDatabase(text)).toBe(false)
    expect(() => parseDatabase(text)).toThrow(TypeError)
    expect(() => parseDatabase(text)).toThrow(/^database: .*sqlite:FILE.*postgres:\/\//)
    expect(() => parseDatabase(text)).not.toThrow(/hunter2/)
  })
})

test.each([
  ['postgres://user:pa:ss@w@host/db?x=secret', 'postgres:***'],
  ['mysql://root:secret@db', 'mysql:***'],
  ['postgres:user:secret@db', 'postgres:***'],
  ['user:secret@db', 'user:***'],
  ['host?password=secret', '***'],
  ['file.db', 'file.db'],
])('maskDatabase(%p)', (text, masked) => {
  expect(maskDatabase(text)).toBe(masked)
})
