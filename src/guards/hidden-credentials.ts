/** `hideCredentials`: what proves who asks is for the guards, and for nobody after them. */
import { MASTER_KEY_HEADER } from '../authentication/master-key.ts'
import { withoutCookie } from '../credentials/cookie.ts'

/**
 * Makes the function that takes the credentials out of a request's headers. Whatever is made of the request later (the
 * context's `headers` and `cookie`, a clone, what a mounted app gets) is made from these.
 *
 * @param names the headers that carry API keys, and the session cookie
 */
export function createCredentialHiding({
  keyHeaders,
  cookieName,
}: {
  readonly keyHeaders: readonly string[]
  readonly cookieName: string
}): (headers: Headers) => void {
  const hidden = ['authorization', MASTER_KEY_HEADER, ...keyHeaders]
  return (headers) => {
    for (const name of hidden) headers.delete(name)
    const cookies = headers.get('cookie')
    const kept = cookies === null ? cookies : withoutCookie(cookies, cookieName)
    if (kept === cookies) return
    if (kept === null || kept === '') headers.delete('cookie')
    else headers.set('cookie', kept)
  }
}
