/** SECURITY.md: whoever changes, takes out or puts in an event without the secret is found. On a real SQLite file. */
import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import type { MachineAuthOptions } from '../../src/index.ts'
import type { AuditVerification } from '../../src/recording/audit/report.ts'
import { createDatabaseDirectory, removeDirectory } from '../support/directories.ts'
import { createTestCore, SECRET, START } from '../support/test-app.ts'

const DAY = 86_400_000
const directory = createDatabaseDirectory('machine-auth-audit')
afterAll(() => removeDirectory(directory))
const at = (name: string) => join(directory, `${name}.db`)

/** As a backup is made: whole, whatever is still in the log of writes. */
function copy(from: string, to: string = crypto.randomUUID()): string {
  using client = new Database(at(from))
  client.run(`vacuum into '${at(to)}'`)
  return at(to)
}

/** Runs with a core on a file, and closes it, by which everything is sealed. */
async function withCore<T>(
  file: string,
  use: (opened: ReturnType<typeof createTestCore>) => Promise<T>,
  options: MachineAuthOptions<string, object> = {},
): Promise<T> {
  const opened = createTestCore({ database: `sqlite:${file}`, ...options })
  try {
    await opened.core.ready
    return await use(opened)
  } finally {
    await opened.core.close()
  }
}

const verify = (file: string, options: MachineAuthOptions<string, object> = {}) =>
  withCore(file, ({ core }) => core.audit.verify(), options)

let roles = 0
/** Writes events, a second apart. */
async function write({ core, time }: ReturnType<typeof createTestCore>, count: number) {
  for (let written = 0; written < count; written++) {
    time.now += 1000
    await core.roles.put(`role-${++roles}`, { permissions: [] })
  }
}

function change<T>(file: string, work: (client: Database) => T): T {
  using client = new Database(file)
  return client.transaction(() => work(client))()
}

const run = (...statements: readonly string[]) => {
  return (client: Database) => {
    for (const statement of statements) client.run(statement)
  }
}

/** What problems were found, as `kind sequence`, or `kind id` for an event without a place. */
const found = ({ problems }: AuditVerification) =>
  problems.map(({ kind, sequence, id }) => `${kind} ${sequence ?? id ?? ''}`.trim())

/** A log of ten sealed events, an older head of it, and one of its events as it was before it was sealed. */
let olderHead: Record<string, string | number>
let unsealed: Record<string, string | number>
beforeAll(async () => {
  await withCore(at('sealed'), async (opened) => {
    await write(opened, 5)
    const read = () =>
      change(at('sealed'), (client) => client.query('select * from machine_auth_audit order by at desc').get())
    unsealed = read() as typeof unsealed
    await opened.core.audit.seal()
    olderHead = change(at('sealed'), (client) =>
      client.query('select * from machine_auth_audit_marks').get(),
    ) as typeof olderHead
    await write(opened, 5)
  })
  // One more that has no place yet.
  copy('sealed', 'live')
  await withCore(at('live'), async (opened) => {
    opened.time.now = START + DAY
    await write(opened, 1)
    copy('live', 'unsealed')
  })
  // Three were deleted for their age.
  copy('sealed', 'purged')
  await withCore(at('purged'), ({ core }) => core.audit.sweep(START + DAY + 3500), { audit: { retention: '1d' } })
}, 30_000)

/** Opens a copy of a log, tampers with it, and answers what the next process finds. */
async function tampered(base: string, tamper: (client: Database) => unknown) {
  const file = copy(base)
  change(file, tamper)
  return verify(file)
}

const MADE_UP = `'${'A'.repeat(43)}'`
const FIELDS = 'id, at, action, actor, subject, organization_id, address, request_id, details, sequence, mac, mac_key'
const update = (set: string, sequence = 5) => run(`update machine_auth_audit set ${set} where sequence = ${sequence}`)
const remove = (where: string) => run(`delete from machine_auth_audit where ${where}`)
const marks = (rest: string) => run(`delete from machine_auth_audit_marks ${rest}`)
/** Puts in a copy of an event with other members. */
const copyOf = (members: Readonly<Record<string, string>>, sequence = 5) =>
  run(
    `insert into machine_auth_audit (${FIELDS}) select ${FIELDS.split(', ')
      .map((name) => members[name] ?? name)
      .join(', ')} from machine_auth_audit where sequence = ${sequence}`,
  )
const setHead = (client: Database) => {
  const { sequence, at: moment, mac } = olderHead
  client.run('update machine_auth_audit_marks set sequence = ?, at = ?, mac = ?', [
    sequence ?? 0,
    moment ?? 0,
    mac ?? '',
  ])
}

test.each(['sealed', 'unsealed', 'purged'])('a log that nobody touched is right: %s', async (base) => {
  expect(found(await tampered(base, () => undefined))).toEqual([])
})

describe('a member of an event is changed', () => {
  test.each([
    ['id', "'evt_0000000000000000'"],
    ['at', 'at + 1'],
    ['at', "'yesterday'"],
    ['action', "'role.deleted'"],
    ['actor', "'user_1'"],
    ['subject', "'role-9'"],
    ['organization_id', "'org_1'"],
    ['address', "'203.0.113.5'"],
    ['request_id', "'req-1'"],
    ['details', "'{}'"],
    ['details', "'null'"],
    ['details', "'no JSON any more'"],
    ['mac', MADE_UP],
    ['mac', 'null'],
    ['mac_key', 'null'],
    ['mac', '(select mac from machine_auth_audit where sequence = 4)'],
  ])('%s = %s', async (member, value) => {
    const file = copy('sealed')
    change(file, update(`${member} = ${value}`))
    await withCore(file, async ({ core }) => {
      const verified = await core.audit.verify()
      expect(found(verified)).toEqual(['changed 5'])
      expect(verified).toMatchObject({ ok: false, problemCount: 1, checked: 10 })
      // It hides none of the others.
      expect((await core.audit.list()).items).toHaveLength(10)
    })
  })
})

describe('the order of events is changed', () => {
  test.each<[string, (client: Database) => unknown, readonly string[]]>([
    [
      'two are swapped',
      run(
        ...[
          ['-1', 4],
          ['4', 5],
          ['5', -1],
        ].map(([to, from]) => `update machine_auth_audit set sequence = ${to} where sequence = ${from}`),
      ),
      ['changed 4', 'changed 5'],
    ],
    ['one is moved behind the end', update('sequence = 11'), ['missing 5', 'inserted 11']],
    [
      'one is moved far behind the end',
      update('sequence = 9007199254740991'),
      ['missing 5', 'inserted 9007199254740991'],
    ],
    ['one is moved before the beginning', update('sequence = 0'), ['inserted 0', 'missing 5']],
    ['one stands between two others', update('sequence = 6.5'), ['missing 5', 'inserted 6.5']],
    ['one stands at a text', update("sequence = 'x'"), ['missing 5', 'inserted NaN']],
    ['one loses its place', update('sequence = null'), ['missing 5', 'changed evt']],
  ])('%s', async (_, tamper, expected) => {
    const verified = await tampered('sealed', tamper)
    expect(found(verified).map((problem) => problem.replace(/evt_.*/, 'evt'))).toEqual([...expected])
    expect(verified.ok).toBeFalse()
  })

  test('one is given back the form it had before it was sealed', async () => {
    const { id, mac } = unsealed
    const verified = await tampered('sealed', (client) =>
      client.run('update machine_auth_audit set sequence = null, mac = ? where id = ?', [mac ?? '', id ?? '']),
    )
    expect(found(verified)).toEqual(['missing 5'])
  })
})

describe('events are taken out', () => {
  test.each([
    ['the first', 'sequence = 1', ['missing 1']],
    ['one in the middle', 'sequence = 5', ['missing 5']],
    ['several in the middle', 'sequence between 4 and 6', ['missing 4']],
    ['several places', 'sequence in (2, 5, 6)', ['missing 2', 'missing 5']],
    ['the last', 'sequence = 10', ['missing 10']],
    ['the last ones', 'sequence > 7', ['missing 8']],
    ['all', 'true', ['missing 1']],
  ])('%s', async (_, where, expected) => {
    expect(found(await tampered('sealed', remove(where)))).toEqual([...expected])
  })
})

describe('events are put in', () => {
  test.each<[string, (client: Database) => unknown, RegExp]>([
    ['at the end, with a made-up MAC', copyOf({ id: "'evt_1'", sequence: '11', mac: MADE_UP }), /^inserted 11$/],
    ['at the end, without a MAC', copyOf({ id: "'evt_1'", sequence: '11', mac: 'null' }), /^inserted 11$/],
    ['at the end, as a copy', copyOf({ id: "'evt_1'", sequence: '11' }), /^inserted 11$/],
    ['before the beginning', copyOf({ id: "'evt_1'", sequence: '-1' }), /^inserted -1$/],
    [
      'without a place, with a made-up MAC',
      copyOf({ id: "'evt_1'", sequence: 'null', mac: MADE_UP }),
      /^changed evt_1$/,
    ],
    [
      'without a place or a MAC',
      copyOf({ id: "'evt_1'", sequence: 'null', mac: 'null', mac_key: 'null' }),
      /^inserted evt_1$/,
    ],
    ['without a place, as a copy', copyOf({ id: "'evt_1'", sequence: 'null' }), /^changed evt_1$/],
    [
      'under a secret that nobody has',
      copyOf({ id: "'evt_1'", sequence: 'null', mac_key: "'f'" }),
      /^unverifiable evt_1$/,
    ],
  ])('%s', async (_, tamper, expected) => {
    const verified = await tampered('sealed', tamper)
    expect(found(verified)).toEqual([expect.stringMatching(expected)])
    expect(verified.ok).toBeFalse()
  })

  test('twice at one place, where the index is gone too', async () => {
    const verified = await tampered('sealed', (client) => {
      client.run('drop index machine_auth_audit_sequence_unique')
      copyOf({ id: "'evt_1'" })(client)
    })
    expect(found(verified).sort()).toEqual([expect.stringMatching(/^(changed|inserted) 5$/)])
  })

  test('one that was put in is never given a place', async () => {
    const file = copy('sealed')
    change(file, copyOf({ id: "'evt_1'", sequence: 'null', mac: MADE_UP }))
    await withCore(file, async (opened) => {
      opened.time.now = START + DAY
      await write(opened, 2)
      const { items } = await opened.core.audit.list()
      expect(items.slice(0, 2).map(({ sequence }) => sequence)).toEqual([12, 11])
      expect(items.find(({ id }) => id === 'evt_1')?.sequence).toBeNull()
      expect(opened.warnings).toEqual([expect.stringContaining('were changed or put in')])
    })
  })
})

describe('the ends of the log', () => {
  test.each<[string, string, (client: Database) => unknown, readonly string[]]>([
    ['the head is deleted', 'sealed', marks("where name = 'head'"), ['head']],
    ['the head is changed', 'sealed', run('update machine_auth_audit_marks set sequence = 11'), ['head 11']],
    ['the head is set back', 'sealed', run('update machine_auth_audit_marks set sequence = 5'), ['head 5']],
    ['an older head is put back', 'sealed', setHead, ['head 6', 'head 7', 'head 8', 'head 9', 'head 10']],
    ['the head is of nobody’s secret', 'sealed', run("update machine_auth_audit_marks set mac_key = 'f'"), ['head 10']],
    [
      'all marks and the last events are deleted',
      'sealed',
      (client) => [marks('')(client), remove('sequence > 5')(client)],
      ['head'],
    ],
    ['the checkpoint is deleted', 'purged', marks("where name = 'checkpoint'"), ['missing 1']],
    [
      'the checkpoint is moved',
      'purged',
      run(
        "update machine_auth_audit_marks set sequence = 5 where name = 'checkpoint'",
        'delete from machine_auth_audit where sequence <= 5',
      ),
      ['missing 1', 'checkpoint 5'],
    ],
    [
      'a checkpoint is put in',
      'sealed',
      run(
        `insert into machine_auth_audit_marks values ('checkpoint', 5, 0, ${MADE_UP}, (select mac_key from machine_auth_audit_marks))`,
        'delete from machine_auth_audit where sequence <= 5',
      ),
      ['missing 1', 'checkpoint 5'],
    ],
    [
      'a checkpoint of nobody’s secret is put in',
      'sealed',
      run(
        `insert into machine_auth_audit_marks values ('checkpoint', 5, 0, ${MADE_UP}, 'f')`,
        'delete from machine_auth_audit where sequence <= 5',
      ),
      ['missing 1', 'checkpoint 5'],
    ],
    ['what follows the checkpoint is taken out', 'purged', remove('sequence in (4, 5)'), ['missing 4']],
    ['what was deleted is put back', 'purged', copyOf({ id: "'evt_1'", sequence: '2' }), ['inserted 2']],
    ['all that is left is taken out', 'purged', remove('true'), ['missing 4']],
    [
      'events and head are deleted',
      'purged',
      (client) => [remove('true')(client), marks("where name = 'head'")(client)],
      ['head'],
    ],
    [
      'an event without a place is changed',
      'unsealed',
      run("update machine_auth_audit set actor = 'user_1' where sequence is null"),
      ['changed evt'],
    ],
  ])('%s', async (_, base, tamper, expected) => {
    const verified = await tampered(base, tamper)
    expect(found(verified).map((problem) => problem.replace(/evt_.*/, 'evt'))).toEqual([...expected])
    expect(verified.ok).toBeFalse()
  })

  test('an older copy that is put back as a whole is right in itself, and found by who noted how far it was', async () => {
    const head = await withCore(copy('sealed'), async (opened) => {
      opened.time.now = START + DAY
      await write(opened, 2)
      return (await opened.core.audit.verify()).head
    })
    expect(head?.sequence).toBe(12)
    await withCore(copy('sealed'), async ({ core }) => {
      expect((await core.audit.verify()).ok).toBeTrue()
      expect(found(await core.audit.verify({ atLeast: 12 }))).toEqual(['head 10'])
    })
  })

  test('a log that is deleted as a whole is missed by the process that knew it, and by who noted how far it was', async () => {
    const file = copy('sealed')
    const deleteAll = () => change(file, (client) => [marks('')(client), remove('true')(client)])
    await withCore(file, async ({ core, warnings }) => {
      deleteAll()
      expect(found(await core.audit.verify())).toEqual(['head 0'])
      expect(warnings).toEqual([expect.stringContaining('has lost its head')])
    })
    await withCore(file, async ({ core }) => {
      expect(found(await core.audit.verify({ atLeast: 1 }))).toEqual(['head 0'])
    })
  })

  test('of very many problems the first are told, and all are counted', async () => {
    const file = at('many')
    await withCore(file, (opened) => write(opened, 150))
    change(file, run("update machine_auth_audit set actor = 'user_1'"))
    const { problems, problemCount } = await verify(file)
    expect([problems.length, problemCount]).toEqual([100, 150])
  })
})

test('two processes that write at once to one file leave no gap', async () => {
  const file = at('shared')
  await withCore(file, (here) =>
    withCore(file, async (there) => {
      await Promise.all([here, here, there, there].map((each) => write(each, 50)))
      await Promise.all([here, there].map(({ core }) => core.audit.seal()))
      expect([here.warnings, there.warnings]).toEqual([[], []])
    }),
  )
  const verified = await verify(file)
  expect(verified).toMatchObject({ ok: true, checked: 200, head: { sequence: 200 } })
})

describe('a new secret', () => {
  const NEWER = 'a newer root secret of the tests, Kd8Wq2ZrVt5'

  test('old events verify as long as the old one is given, and are counted afterwards', async () => {
    const file = copy('sealed')
    await withCore(file, (opened) => write(opened, 2), { secret: [NEWER, SECRET] })
    expect(await verify(file, { secret: [NEWER, SECRET] })).toMatchObject({ ok: true, checked: 12, unverifiable: 0 })
    expect(await verify(file, { secret: NEWER })).toMatchObject({ ok: false, checked: 12, unverifiable: 10 })
    await withCore(file, async ({ core }) => expect((await core.audit.verify({ unverifiable: 10 })).ok).toBeTrue(), {
      secret: NEWER,
    })
    expect((await verify(file)).ok).toBeFalse()
  })
})
