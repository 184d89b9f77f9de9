import { expect, test } from 'bun:test'
import { ERROR_CODES, statusOf } from '../../src/errors.ts'

const page = await Bun.file(`${import.meta.dir}/../../docs/errors.md`).text()

interface Section {
  readonly code: string
  readonly status: number
  readonly text: string
}

const sections: Section[] = page
  .split(/^### /m)
  .slice(1)
  .map((section) => {
    const [, code = '', status = ''] = /^`([a-z_]+)`: (\d{3})$/m.exec(section) ?? []
    return { code, status: Number(status), text: section }
  })

test('documents exactly the codes there are, in their order', () => {
  expect(sections.map(({ code }) => code)).toEqual([...ERROR_CODES])
})

test.each([...ERROR_CODES])('documents %s with its status, when it is answered and what to do', (code) => {
  const section = sections.find((one) => one.code === code)
  expect(section?.status).toBe(statusOf(code))
  expect(section?.text).toMatch(/\*\*When\*\* \w+/)
  expect(section?.text).toMatch(/^- \*\*Do\*\* \w+/m)
})
