import { afterAll, beforeAll, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { blocksUnder, curl, curlCalls } from './readme-commands.ts'
import { type Example, ROOT, request, START_TIMEOUT, startExample } from './support.ts'

const MASTER_KEY = 'oQb2v9ZrT4nLx7KdPw1MsYc8HjUe5GaF'

let example: Example
beforeAll(async () => {
  example = await startExample('examples/quickstart.ts', { env: { MACHINE_AUTH_MASTER_KEY: MASTER_KEY } })
}, START_TIMEOUT)
afterAll(() => example[Symbol.asyncDispose]())

/** Runs the `curl` lines below a heading of README, each after those before it; answers what each line got. */
async function follow(heading: string, placeholders: Record<string, (last: string) => string>) {
  const block = blocksUnder(heading, 'sh')
    .filter((code) => code.includes('curl '))
    .join('\n')
  const answers: { status: number; text: string }[] = []
  for (const call of curlCalls(block, { MACHINE_AUTH_MASTER_KEY: MASTER_KEY })) {
    const last = answers.at(-1)?.text ?? ''
    const filled = call.map((word) =>
      Object.entries(placeholders).reduce(
        (text, [shown, value]) => (text.includes(shown) ? text.replace(shown, value(last)) : text),
        word.replace('localhost:3000', `localhost:${example.port}`),
      ),
    )
    answers.push(await curl(filled))
  }
  return { answers, promised: [...block.matchAll(/^# (\d{3}) /gm)].map(([, status]) => Number(status)) }
}

test("README's first key: made by the master key, used at once", async () => {
  const { answers, promised } = await follow('## The first key', { 'mac_live_…': (last) => JSON.parse(last).rawKey })
  expect(answers.map(({ status }) => status)).toEqual(promised)
  const [created, used] = answers
  expect(JSON.parse(created?.text ?? '')).toMatchObject({
    key: { id: expect.stringMatching(/^key_/), prefix: expect.stringMatching(/^mac_live_/), name: 'reports' },
    rawKey: expect.stringMatching(/^mac_live_/),
  })
  expect(JSON.parse(used?.text ?? '')).toEqual({ key: 'reports' })
})

test(
  "README's first user: made by a script beside the server, logged in over HTTP",
  async () => {
    const [script = ''] = blocksUnder('## The first user', 'ts')
    // In the server's directory, for its database and secret; a stranger's package is installed there, ours is not.
    writeFileSync(
      join(example.directory, 'first-user.ts'),
      script.replace("'elysia-machine-auth'", `'${ROOT}/src/index.ts'`),
    )
    const run = Bun.spawn([process.execPath, 'first-user.ts'], {
      cwd: example.directory,
      env: { PATH: process.env.PATH ?? '', HOME: example.directory },
      stdout: 'pipe',
      stderr: 'pipe',
    })
    const complaint = await new Response(run.stderr).text()
    expect([await run.exited, complaint]).toEqual([0, expect.stringContaining('.machine-auth/secret is used')])

    const { answers, promised } = await follow('## The first user', { 'eyJ…': (last) => JSON.parse(last).access_token })
    expect(answers.map(({ status }) => status)).toEqual(promised)
    const [loggedIn, used] = answers
    expect(JSON.parse(loggedIn?.text ?? '')).toMatchObject({ token_type: 'Bearer', expires_in: 900 })
    expect(JSON.parse(used?.text ?? '')).toEqual({ hello: 'alice@example.com' })
  },
  START_TIMEOUT,
)

test.each(['GET /data', 'GET /admin'])('%s is closed to anybody else', async (target) => {
  const { status, body } = await request(example.origin, target)
  expect([status, body.code]).toEqual([401, 'credential_missing'])
})

test('has its documentation at /swagger, and keeps what it makes beside where it was started', async () => {
  expect((await request(example.origin, 'GET /swagger/json')).body.paths).toHaveProperty('/data')
  expect(example.files()).toEqual(expect.arrayContaining(['.machine-auth', 'machine-auth.db', 'machine-auth.db-wal']))
})
