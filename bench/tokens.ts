/**
 * What verifying a token costs, in one process: `bun bench/tokens.ts [--quick]`.
 *
 * First-seen tokens beside jose alone, which is given the same header and claims under a key of its own; ours also looks
 * up whether the token was taken back. Repeated ones beside a `Map` by the whole token.
 */
import { decodeJwt, decodeProtectedHeader, generateKeyPair, generateSecret, jwtVerify, SignJWT } from 'jose'
import { type CoreInternals, internalsOfCore } from '../src/core-internals.ts'
import { createMachineAuth } from '../src/index.ts'
import { goalOf } from './goals.ts'
import { createPrintingReport, type Report } from './report.ts'
import { timeInSlices } from './slices.ts'

const ALGORITHMS = ['EdDSA', 'ES256', 'HS256'] as const
type Algorithm = (typeof ALGORITHMS)[number]

const GROUP = 'tokens'

async function createKeys(algorithm: Algorithm) {
  if (algorithm !== 'HS256') return generateKeyPair(algorithm)
  const secret = await generateSecret(algorithm)
  return { privateKey: secret, publicKey: secret }
}

/** The same tokens, signed by jose. */
async function signAgain(tokens: readonly string[], algorithm: Algorithm) {
  const { privateKey, publicKey } = await createKeys(algorithm)
  const signed: string[] = []
  for (const token of tokens) {
    const { typ, kid } = decodeProtectedHeader(token)
    const header = { alg: algorithm, ...(typ && { typ }), ...(kid && { kid }) }
    signed.push(await new SignJWT(decodeJwt(token)).setProtectedHeader(header).sign(privateKey))
  }
  const { iss: issuer = '', aud: audience = '' } = decodeJwt(tokens[0] ?? '')
  const options = { algorithms: [algorithm], issuer, audience, typ: 'at+jwt', requiredClaims: ['exp', 'iat', 'sub'] }
  return { signed, verify: (token: string) => jwtVerify(token, publicKey, options) }
}

interface Size {
  readonly slices: number
  readonly calls: number
}

async function compareFirstSeen(report: Report, algorithm: Algorithm, size: Size): Promise<void> {
  report.progress(`signing ${algorithm} tokens`)
  const options = {
    database: 'sqlite::memory:',
    docs: false,
    usage: false,
    metrics: false,
    jwt: { algorithm },
  } as const
  await using core = createMachineAuth(options, { warn: () => undefined })
  await core.ready
  const user = await core.users.create({ email: 'bench@example.com', roles: ['admin'] })
  const tokens: string[] = []
  while (tokens.length < (size.slices + 1) * size.calls) {
    tokens.push((await core.tokens.issueForUser(user)).access_token)
  }
  const { signed, verify } = await signAgain(tokens, algorithm)
  const { jwts } = internalsOfCore(core).engineOptions.environment

  report.progress(`verifying ${algorithm} tokens`)
  const partOf = (all: readonly string[], slice: number) => all.slice(slice * size.calls, (slice + 1) * size.calls)
  const times = await timeInSlices(
    [
      {
        name: 'jose',
        async run(slice) {
          for (const token of partOf(signed, slice)) await verify(token)
        },
      },
      {
        name: 'ours',
        async run(slice) {
          for (const token of partOf(tokens, slice)) {
            const outcome = await jwts.resolve(token)
            if (outcome.kind !== 'jwt') throw new Error(`A right token was ${outcome.kind}`)
          }
        },
      },
    ],
    size,
  )
  const [jose = Number.NaN, own = Number.NaN] = [times.get('jose'), times.get('ours')]
  const title = `first-seen ${algorithm} token`
  report.add({
    group: GROUP,
    name: title,
    value: own / 1000,
    unit: 'µs',
    note: `jose alone ${(jose / 1000).toFixed(1)} µs`,
  })
  const name = `${title}, to jose alone`
  const goal = goalOf(GROUP, name)
  report.add({ group: GROUP, name, value: own / jose, unit: 'ratio', ...(goal && { goal }) })
  if (algorithm === 'EdDSA') await compareRepeated(report, tokens.slice(0, 1000), jwts)
}

type Jwts = CoreInternals['engineOptions']['environment']['jwts']

async function compareRepeated(report: Report, tokens: readonly string[], jwts: Jwts): Promise<void> {
  report.progress('repeated tokens')
  for (const token of tokens) await jwts.resolve(token)
  const now = Date.now()
  const known = new Map(tokens.map((token) => [token, { exp: now + 1e9 }]))
  const times = await timeInSlices(
    [
      {
        name: 'map',
        run() {
          for (const token of tokens) if ((known.get(token)?.exp ?? 0) < Date.now()) throw new Error('Expired')
        },
      },
      {
        name: 'ours',
        run() {
          for (const token of tokens) if (jwts.peek(token)?.kind !== 'jwt') throw new Error('Not remembered')
        },
      },
    ],
    { slices: 200, calls: tokens.length },
  )
  const [map = Number.NaN, own = Number.NaN] = [times.get('map'), times.get('ours')]
  const note = `a Map by the whole token ${map.toFixed(0)} ns`
  report.add({ group: GROUP, name: 'repeated token, of a thousand', value: own, unit: 'ns', note })
}

export async function run(report: Report, { isQuick }: { readonly isQuick: boolean }): Promise<void> {
  const size = isQuick ? { slices: 10, calls: 20 } : { slices: 100, calls: 50 }
  for (const algorithm of ALGORITHMS) await compareFirstSeen(report, algorithm, size)
}

if (import.meta.main) await run(createPrintingReport(), { isQuick: process.argv.includes('--quick') })
