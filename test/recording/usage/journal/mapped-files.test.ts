/** What the journal takes for granted of files that are mapped into memory; none of it is written down for Bun. */
import { afterAll, expect, test } from 'bun:test'
import { closeSync, openSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createDatabaseDirectory, removeDirectory } from '../../../support/directories.ts'

const folder = createDatabaseDirectory('machine-auth-mapped')
afterAll(() => removeDirectory(folder))

const SIZE = 65_536

function makeFile(name: string): string {
  const path = join(folder, name)
  writeFileSync(path, new Uint8Array(SIZE))
  return path
}

test('what is written to memory is at once in the file, for whoever reads it', () => {
  const path = makeFile('shared')
  const bytes = Bun.mmap(path, { shared: true })
  expect(bytes.length).toBe(SIZE)
  bytes[7] = 65
  expect(readFileSync(path)[7]).toBe(65)
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  buffer.write('text', SIZE - 4)
  expect(readFileSync(path).toString('latin1', SIZE - 4)).toBe('text')
})

test('it outlives SIGKILL right after the write', async () => {
  const path = makeFile('killed')
  const script = `
    const bytes = Bun.mmap(${JSON.stringify(path)}, { shared: true })
    for (let place = 0; place < bytes.length; place++) bytes[place] = 65
    process.kill(process.pid, 'SIGKILL')`
  const child = Bun.spawn([process.execPath, '-e', script], { stdio: ['ignore', 'ignore', 'inherit'] })
  await child.exited
  expect(child.signalCode).toBe('SIGKILL')
  expect(readFileSync(path).every((byte) => byte === 65)).toBe(true)
}, 20_000)

test('a file that is deleted while it is mapped can still be written and read there', () => {
  const path = makeFile('deleted')
  const bytes = Bun.mmap(path, { shared: true })
  unlinkSync(path)
  bytes.fill(66)
  expect(bytes.every((byte) => byte === 66)).toBe(true)
  expect(() => closeSync(openSync(path, 'r'))).toThrow('ENOENT')
})

test('a mapping that nobody holds any more is given back, and its file keeps what was written', async () => {
  const path = makeFile('given-back')
  const times = 50
  // A process of its own, whose heap is small: a collection looks through all of it.
  const script = `
    const { readFileSync } = require('node:fs')
    const path = ${JSON.stringify(path)}
    const map = (time) => void (Bun.mmap(path, { shared: true })[time] = 67)
    for (let time = 0; time < ${times}; time++) map(time)
    Bun.gc(true)
    const maps = process.platform === 'linux' ? readFileSync('/proc/self/maps', 'utf8') : ''
    console.log(maps.split(path).length - 1)`
  const child = Bun.spawn([process.execPath, '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  // The collector may still find one on the stack.
  expect(Number(await new Response(child.stdout).text())).toBeLessThan(times / 2)
  expect(readFileSync(path).toString('latin1', 0, times)).toBe('C'.repeat(times))
}, 20_000)
