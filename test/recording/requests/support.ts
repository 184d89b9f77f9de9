import type { RequestFacts } from '../../../src/recording/requests/logger.ts'

/** Of a request that anybody may ask. */
export const FACTS: RequestFacts = {
  requestId: 'request-1',
  route: '/x',
  status: 200,
  elapsed: 1.5,
  address: null,
  credential: null,
  keyId: null,
  userId: null,
  organizationId: null,
  code: null,
}
