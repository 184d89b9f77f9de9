/** Metrics of requests, and of the credentials that they present. */
import type { Family, Sample } from '../family.ts'
import { CREDENTIAL_NAMES, type CredentialName, DENIAL_CODES, REQUEST_OUTCOMES } from '../meter.ts'
import type { RequestCounts } from '../request-counts.ts'

const CREDENTIALS: Readonly<Record<CredentialName, string>> = {
  apiKey: 'api_key',
  jwt: 'jwt',
  bearer: 'bearer',
  session: 'session',
  master: 'master_key',
}

function credentialSamples({ accepted, refused, missing }: RequestCounts): readonly Sample[] {
  const presented = CREDENTIAL_NAMES.flatMap((name) => [
    { labels: { credential: CREDENTIALS[name], result: 'accepted' }, value: accepted[name] },
    { labels: { credential: CREDENTIALS[name], result: 'refused' }, value: refused[name] },
  ])
  return [...presented, { labels: { credential: 'none', result: 'missing' }, value: missing }]
}

export function requestFamilies(counts: RequestCounts): readonly Family[] {
  return [
    {
      type: 'counter',
      name: 'machine_auth_requests_total',
      help: 'Requests that a guard or limit decided about: allowed, denied to whoever asked, rejected for what was asked, or failed.',
      labels: ['outcome'],
      read: () => REQUEST_OUTCOMES.map((outcome) => ({ labels: { outcome }, value: counts.outcomes[outcome] })),
    },
    {
      type: 'histogram',
      name: 'machine_auth_request_duration_seconds',
      help: 'Time from the arrival of such a request to its answer.',
      read: () => [{ distribution: counts.durations }],
    },
    {
      type: 'counter',
      name: 'machine_auth_denials_total',
      help: 'Requests that were denied, by the code that their answer carries.',
      labels: ['code'],
      read: () => [...DENIAL_CODES].map((code) => ({ labels: { code }, value: counts.denials[code] })),
    },
    {
      type: 'counter',
      name: 'machine_auth_authentications_total',
      help: 'Credentials that such requests presented, by kind, and whether they were accepted; none is missing.',
      labels: ['credential', 'result'],
      read: () => credentialSamples(counts),
    },
  ]
}
