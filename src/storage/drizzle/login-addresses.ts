import { and, desc, eq, lt, sql } from 'drizzle-orm'
import type { LoginAddressStore } from '../ports/sessions.ts'
import { type Database, once } from './database.ts'
import { excluded } from './excluded.ts'
import { lockUntilEnd } from './lock.ts'
import { textParameter } from './parameters.ts'
import { createPreparedStep } from './prepared-steps.ts'

export function createLoginAddressStore(database: Database): LoginAddressStore {
  const { handle, tables, transaction } = database
  const { loginAddresses } = tables
  const { account: accountColumn, address: addressColumn, lastAt } = loginAddresses

  const knows = once(() =>
    handle
      .select({ address: addressColumn })
      .from(loginAddresses)
      .where(and(eq(accountColumn, sql.placeholder('account')), eq(addressColumn, sql.placeholder('address'))))
      .prepare(),
  )

  const put = createPreparedStep(database, (tx) =>
    tx
      .insert(loginAddresses)
      .values({
        account: sql.placeholder('account'),
        address: sql.placeholder('address'),
        lastAt: sql.placeholder('at'),
      })
      .onConflictDoUpdate({
        target: [accountColumn, addressColumn],
        set: { lastAt: excluded(lastAt) },
        setWhere: lt(lastAt, excluded(lastAt)),
      })
      .prepare(),
  )
  const forgetOldest = createPreparedStep(database, (tx) => {
    const own = eq(accountColumn, textParameter('account'))
    // The last one to keep; there is none, and nothing to forget, while the account has fewer.
    const oldestKept = tx
      .select({ lastAt, address: addressColumn })
      .from(loginAddresses)
      .where(own)
      .orderBy(desc(lastAt), desc(addressColumn))
      .limit(1)
      .offset(sql.placeholder('kept'))
    return tx
      .delete(loginAddresses)
      .where(and(own, sql`(${lastAt}, ${addressColumn}) < ${oldestKept}`))
      .prepare()
  })

  return {
    remember(account, address, at, keep) {
      return transaction(function* (tx) {
        // Two would keep too many, or wait for each other's rows.
        yield* lockUntilEnd(database, tx, `machine_auth_login_addresses ${account}`)
        yield* put(tx, { account, address, at })
        yield* forgetOldest(tx, { account, kept: keep - 1 })
      })
    },

    async knows(account, address) {
      const known = await knows().execute({ account, address })
      return known.length > 0
    },

    async purge(before) {
      const purged = await handle.delete(loginAddresses).where(lt(lastAt, before)).returning({ account: accountColumn })
      return purged.length
    },
  }
}
