import { describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readEntry, writeEntry } from '../../src/cli/env-file/entries.ts'
import { createDatabaseDirectory, removeDirectory } from '../support/directories.ts'

const NAME = 'MACHINE_AUTH_SECRET'

describe('a variable is appended on a line of its own', () => {
  test.each([
    { name: 'an empty file', before: '', after: 'MACHINE_AUTH_SECRET=new\n' },
    { name: 'others', before: 'A=1\nB=2\n', after: 'A=1\nB=2\nMACHINE_AUTH_SECRET=new\n' },
    { name: 'no line break at the end', before: 'A=1', after: 'A=1\nMACHINE_AUTH_SECRET=new\n' },
    { name: 'CRLF', before: 'A=1\r\nB=2\r\n', after: 'A=1\r\nB=2\r\nMACHINE_AUTH_SECRET=new\r\n' },
    { name: 'CRLF, none at the end', before: 'A=1\r\nB=2', after: 'A=1\r\nB=2\r\nMACHINE_AUTH_SECRET=new\r\n' },
    {
      name: 'a comment of it',
      before: '#MACHINE_AUTH_SECRET=x\n',
      after: '#MACHINE_AUTH_SECRET=x\nMACHINE_AUTH_SECRET=new\n',
    },
    {
      name: 'a longer name',
      before: 'MACHINE_AUTH_SECRET_OLD=x\n',
      after: 'MACHINE_AUTH_SECRET_OLD=x\nMACHINE_AUTH_SECRET=new\n',
    },
    {
      name: 'another that ends so',
      before: 'X_MACHINE_AUTH_SECRET=x\n',
      after: 'X_MACHINE_AUTH_SECRET=x\nMACHINE_AUTH_SECRET=new\n',
    },
    {
      name: 'its name inside a quoted value',
      before: 'A="x\nMACHINE_AUTH_SECRET=no\n"\n',
      after: 'A="x\nMACHINE_AUTH_SECRET=no\n"\nMACHINE_AUTH_SECRET=new\n',
    },
  ])('after $name', ({ before, after }) => {
    expect(readEntry(before, NAME)).toBeNull()
    expect(writeEntry(before, NAME, 'new')).toBe(after)
  })
})

describe('a variable is replaced in its place', () => {
  test.each([
    { name: 'bare', before: 'A=1\nMACHINE_AUTH_SECRET=old\nB=2\n', after: 'A=1\nMACHINE_AUTH_SECRET=new\nB=2\n' },
    { name: 'without a line break', before: 'MACHINE_AUTH_SECRET=old', after: 'MACHINE_AUTH_SECRET=new' },
    { name: 'in double quotes', before: 'MACHINE_AUTH_SECRET="old"\n', after: 'MACHINE_AUTH_SECRET="new"\n' },
    { name: 'in single quotes', before: "MACHINE_AUTH_SECRET='old'\n", after: "MACHINE_AUTH_SECRET='new'\n" },
    { name: 'exported', before: 'export MACHINE_AUTH_SECRET=old\n', after: 'export MACHINE_AUTH_SECRET=new\n' },
    { name: 'with spaces', before: '  MACHINE_AUTH_SECRET = old  \n', after: '  MACHINE_AUTH_SECRET = new  \n' },
    { name: 'with a comment', before: 'MACHINE_AUTH_SECRET=old # keep\n', after: 'MACHINE_AUTH_SECRET=new # keep\n' },
    { name: 'with CRLF', before: 'MACHINE_AUTH_SECRET=old\r\nA=1\r\n', after: 'MACHINE_AUTH_SECRET=new\r\nA=1\r\n' },
    {
      name: 'after a byte order mark',
      before: '\u00ef\u00bb\u00bfMACHINE_AUTH_SECRET=old\n',
      after: '\u00ef\u00bb\u00bfMACHINE_AUTH_SECRET=new\n',
    },
    {
      name: 'the last of two',
      before: 'MACHINE_AUTH_SECRET=a\nMACHINE_AUTH_SECRET=old\n',
      after: 'MACHINE_AUTH_SECRET=a\nMACHINE_AUTH_SECRET=new\n',
    },
    { name: 'after an empty one', before: 'A=\nMACHINE_AUTH_SECRET=old\n', after: 'A=\nMACHINE_AUTH_SECRET=new\n' },
  ])('$name', ({ before, after }) => {
    expect(readEntry(before, NAME)).toBe('old')
    expect(writeEntry(before, NAME, 'new')).toBe(after)
  })

  test.each([
    { before: 'MACHINE_AUTH_SECRET=\nA=1\n', after: 'MACHINE_AUTH_SECRET=new\nA=1\n' },
    { before: 'MACHINE_AUTH_SECRET=""\nA=1\n', after: 'MACHINE_AUTH_SECRET="new"\nA=1\n' },
  ])('where it is empty: $before', ({ before, after }) => {
    expect(readEntry(before, NAME)).toBeNull()
    expect(writeEntry(before, NAME, 'new')).toBe(after)
  })
})

test.each([
  { name: 'over several lines', before: 'A="x\nMACHINE_AUTH_SECRET=no\n"\n' },
  { name: 'exported, in quotes', before: 'export MACHINE_AUTH_SECRET="old" # c' },
  { name: 'with CRLF', before: 'MACHINE_AUTH_SECRET=a\r\nB=1\r\n' },
])('Bun reads what is written: $name', ({ before }) => {
  const directory = createDatabaseDirectory('machine-auth-env')
  try {
    writeFileSync(join(directory, '.env'), writeEntry(before, NAME, 'new,older'))
    const run = Bun.spawnSync([process.execPath, '-e', `process.stdout.write(process.env.${NAME})`], {
      cwd: directory,
      env: { PATH: process.env.PATH },
    })
    expect(run.stdout.toString()).toBe('new,older')
  } finally {
    removeDirectory(directory)
  }
})
