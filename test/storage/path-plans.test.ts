/** Every statement of the path of a request is a single look-up in each of its tables, on both databases. */
import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { PGlite } from '@electric-sql/pglite'
import { drizzle as drizzleSqlite } from 'drizzle-orm/bun-sqlite'
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite'
import { VERB_KINDS } from '../../src/storage/drizzle/verb-kinds.ts'
import { openStorage } from '../../src/storage/open.ts'
import type { Storage } from '../../src/storage/ports.ts'
import { lookThroughPostgres } from '../support/credentials/postgres.ts'
import { ASIDE, fillForPath, PATH, type PathVerb } from './path-verbs.ts'

interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
}

function createLog() {
  const statements: Statement[] = []
  return {
    logger: { logQuery: (text: string, values: unknown[]) => void statements.push({ text, values }) },
    async of(storage: Storage, { call }: PathVerb): Promise<readonly Statement[]> {
      statements.length = 0
      await call(storage)
      return statements.filter(({ text }) => !/^(begin|commit)/i.test(text))
    },
  }
}

const VERBS = Object.entries(PATH)
/** Matches nothing, and says what should have been. */
const LOOK_UP = /^a look-up by all columns of a unique index$/

test('every verb of storage is of the path or not', () => {
  const aside = Object.entries(ASIDE).flatMap(([port, verbs]) => verbs.map((verb) => `${port}.${verb}`))
  const known = Object.entries(VERB_KINDS).flatMap(([port, verbs]) =>
    Object.keys(verbs).map((verb) => `${port}.${verb}`),
  )
  expect([...Object.keys(PATH), ...aside].toSorted()).toEqual(known.toSorted())
})

describe('on SQLite', () => {
  const log = createLog()
  const client = new Database(':memory:')
  const { storage, ready } = openStorage({ db: drizzleSqlite(client, { logger: log.logger }) }, { migrate: 'auto' })
  beforeAll(async () => {
    await ready
    await fillForPath(storage)
  })
  afterAll(() => client.close())

  /** Steps that read no table of ours. */
  const HARMLESS =
    /^(SCAN (CONSTANT ROW|one|json_each VIRTUAL TABLE .*)|(LIST|SCALAR|CORRELATED SCALAR|REUSE) SUBQUERY \d+|(CO-ROUTINE|MATERIALIZE) \w+)$/

  function planOf(text: string): readonly string[] {
    const parameters = text.match(/\?/g)?.map(() => null) ?? []
    // An explained write holds up commits until it is finalized.
    using statement = client.prepare<{ detail: string }, null[]>(`explain query plan ${text}`)
    return statement.all(...parameters).map(({ detail }) => detail)
  }

  function isLookUp(step: string): boolean {
    if (step.includes('USING INTEGER PRIMARY KEY (rowid=?)')) return true
    const [, index = '', condition = ''] = step.match(/ INDEX (\w+) \((.*)\)/) ?? []
    const columns = client.query('select 1 from pragma_index_info(?)').all(index)
    const [list] = client.query<{ unique: number }, [string]>(UNIQUE).all(index)
    return (
      list?.unique === 1 && condition.split(' AND ').filter((each) => each.endsWith('=?')).length === columns.length
    )
  }
  const UNIQUE = `select l."unique" from sqlite_master m, pragma_index_list(m.tbl_name) l where m.name = ?1 and l.name = ?1`

  test.each(VERBS)('%s', async (_, verb) => {
    const statements = await log.of(storage, verb)
    expect(statements).not.toBeEmpty()
    for (const { text } of statements) {
      const steps = planOf(text).filter((step) => !HARMLESS.test(step))
      for (const step of steps) {
        if (!isLookUp(step)) expect(step).toMatch(verb.range ?? LOOK_UP)
      }
    }
  })

  test.each(VERBS)('%s is not compiled anew for each value', async (_, verb) => {
    for (const { text } of await log.of(storage, verb)) {
      // See `textParameter`.
      if (/ join /i.test(text)) expect(text).not.toMatch(/= \?/)
    }
  })
})

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Index Cond'?: string
  readonly Plans?: readonly PlanNode[]
}

function nodesOf(node: PlanNode): readonly PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)]
}

/** Statements that put a row into its table many times, with another text in the last column of each unique index. */
const COPIES = `
  select format(
    'insert into %1$I select (jsonb_populate_record(one, jsonb_build_object(%2$s))).* from %1$I one, generate_series(1, 3000) n where one.ctid = (select ctid from %1$I limit 1)',
    t.relname,
    string_agg(format('%1$L, chr(97 + n %% 26) || one.%1$I || n::text', a.attname), ', ')
  ) as copy
  from pg_class t
    join pg_index i on i.indrelid = t.oid and i.indisunique and i.indpred is null
    join pg_attribute a on a.attrelid = t.oid and a.attnum = i.indkey[i.indnkeyatts - 1] and a.atttypid = 'text'::regtype
  where t.relname like 'machine_auth_%'
  group by t.relname`

describe('on PostgreSQL', () => {
  const log = createLog()
  let client: PGlite
  let storage: Storage
  const unique = new Map<string, number>()
  beforeAll(async () => {
    client = await PGlite.create()
    const opened = openStorage({ db: drizzlePglite(client, { logger: log.logger }) }, { migrate: 'auto' })
    storage = opened.storage
    await opened.ready
    await fillForPath(storage)
    for (const { call } of Object.values(PATH)) await call(storage)
    // Of tables with next to nothing in them any index is as good to PostgreSQL.
    for (const { copy } of (await client.query<{ copy: string }>(COPIES)).rows) await client.exec(copy)
    await client.exec('analyze; set enable_seqscan = off; set enable_bitmapscan = off')
    const { rows } = await client.query<{ name: string; columns: number }>(
      'select indexrelid::regclass::text as name, indnkeyatts as columns from pg_index where indisunique',
    )
    for (const { name, columns } of rows) unique.set(name, columns)
  }, 60_000)
  afterAll(async () => {
    await lookThroughPostgres('PGlite', async (statement) => (await client.query(statement)).rows)
    await client.close()
  })

  function isLookUp({ 'Index Name': index = '', 'Index Cond': condition = '' }: PlanNode): boolean {
    return condition.split(' = ').length - 1 === unique.get(index)
  }

  test.each(VERBS)('%s', async (_, verb) => {
    const statements = await log.of(storage, verb)
    expect(statements).not.toBeEmpty()
    for (const { text, values } of statements) {
      const { rows } = await client.query<{ 'QUERY PLAN': readonly { readonly Plan: PlanNode }[] }>(
        `explain (format json) ${text}`,
        [...values],
      )
      const nodes = rows.flatMap((row) => row['QUERY PLAN'].flatMap(({ Plan }) => nodesOf(Plan)))
      expect(nodes.map((node) => node['Node Type'])).not.toContain('Seq Scan')
      for (const node of nodes.filter((each) => each['Index Name'] !== undefined)) {
        if (!isLookUp(node)) expect(`${node['Index Name']} ${node['Index Cond']}`).toMatch(verb.range ?? LOOK_UP)
      }
    }
  })
})
