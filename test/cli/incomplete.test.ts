import { expect, test } from 'bun:test'
import { noteIncomplete } from '../../src/cli/incomplete.ts'

test.each([
  [true, []],
  [false, ['Not all that was counted could be written to the database just now: requests of late may be missing.']],
])('of figures that are complete (%p) a person is told', (complete, expected) => {
  const notes: string[] = []
  noteIncomplete({ note: (text) => void notes.push(text) }, { complete })
  expect(notes).toEqual(expected)
})
