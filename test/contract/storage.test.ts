import { afterAll, beforeAll, describe, test } from 'bun:test'
import { describeOrganizationStore, describeUserStore } from './accounts.ts'
import {
  type Adapter,
  isServerUp,
  pgbouncer,
  pglite,
  postgres,
  sqliteAsync,
  sqliteFile,
  sqliteMemory,
} from './adapters.ts'
import { describeAuditStore } from './audit.ts'
import { describeBlockStore } from './blocks.ts'
import { describeKeyCredits } from './credits.ts'
import { describeIdempotencyStore } from './idempotency.ts'
import { describeKeyChanges } from './key-changes.ts'
import { describeKeyStore } from './keys.ts'
import { describeKeyRotation } from './keys-rotation.ts'
import { describeExpiryWarnings, describeKeySelections } from './keys-selected.ts'
import { describeChangeStore, describeRoleStore, describeStorage } from './log.ts'
import { describeLoginAddressStore } from './login-addresses.ts'
import { describePermissionStore } from './permissions.ts'
import { describeQuotaStore } from './quotas.ts'
import { describeRequestLogStore } from './request-log.ts'
import { describeSessionStore } from './sessions.ts'
import { describeBearerTokenStore, describeRefreshFamilyStore, describeSigningKeyStore } from './tokens.ts'
import { describeUsageStore } from './usage.ts'
import { describeUsageSums } from './usage-sums.ts'

const serverUp = await isServerUp()
const required = process.env.REQUIRE_SERVICES === '1'

function holdTheContract(adapter: Adapter): void {
  describe(adapter.name, () => {
    // The first opening starts the database.
    beforeAll(async () => void (await adapter.open()), 30_000)
    afterAll(() => adapter.stop())
    const open = () => adapter.open()
    describeKeyStore('keys', open)
    describeKeyChanges('changes of keys', open)
    describeKeyRotation('rotation of keys', open)
    describeKeySelections('selections of keys', open)
    describeExpiryWarnings('expiry warnings', open)
    describeKeyCredits('credits of keys', open)
    describeOrganizationStore('organizations', open)
    describeUserStore('users', open)
    describeSigningKeyStore('signing keys', open)
    describeRefreshFamilyStore('refresh families', open)
    describeBearerTokenStore('bearer tokens', open)
    describeSessionStore('sessions', open)
    describeRoleStore('roles', open)
    describePermissionStore('permissions', open)
    describeAuditStore('audit', open)
    describeIdempotencyStore('idempotency', open)
    describeBlockStore('blocks', open)
    describeQuotaStore('quotas', open)
    describeLoginAddressStore('login addresses', open)
    describeUsageStore('usage', open)
    describeUsageSums('sums of usage', open)
    describeRequestLogStore('request log', open)
    describeChangeStore('changes', open)
    describeStorage('storage', open)
  })
}

for (const adapter of [sqliteFile(), sqliteMemory(), sqliteAsync(), pglite()]) holdTheContract(adapter)

if (serverUp || required) holdTheContract(postgres())
else
  test.skip('postgres: no server answers at 127.0.0.1:5432 (REQUIRE_SERVICES=1 makes this a failure)', () => undefined)

// As long as PostgreSQL itself takes, for the little that differs; `test/storage/pgbouncer.test.ts` always runs.
if (process.env.CONTRACT_ADAPTERS?.split(',').includes('pgbouncer')) holdTheContract(pgbouncer())
