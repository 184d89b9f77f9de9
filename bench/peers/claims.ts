/** Claims as ours has them, for the peers' tokens: what is longer takes longer to verify. */
import { TOKEN_LIFETIME } from './figures.ts'

function randomText(length: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(length)))
    .toString('base64url')
    .slice(0, length)
}

/** All but `iat`, which not everybody lets one give. */
export function createClaims() {
  return {
    jti: randomText(22),
    exp: Math.floor(Date.now() / 1000) + TOKEN_LIFETIME,
    fid: `rt_${randomText(16)}`,
    sub: 'usr_0123456789abcdef',
    roles: ['admin'],
    iss: 'machine-auth',
    aud: 'machine-auth',
  }
}
