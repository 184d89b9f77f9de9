/**
 * Whether a request that the browser authenticates by itself (a cookie) was meant by a page of ours.
 *
 * A modern browser says so in `Sec-Fetch-Site`; an older one names the page's `Origin`. A client that sends neither is
 * not a browser, and nothing was sent behind a person's back.
 *
 * @see OWASP CSRF Prevention Cheat Sheet, "Verifying Origin With Standard Headers"
 */

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Whether a request can change something: an unsafe method, or the upgrade of a WebSocket. */
export function isUnsafeRequest(request: Request): boolean {
  return !SAFE_METHODS.has(request.method) || request.headers.has('upgrade')
}

function hostOf(origin: string): string | null {
  try {
    const { host } = new URL(origin)
    return host === '' ? null : host
  } catch {
    return null
  }
}

/** `a.example:443` and `a.example` name the same host to a browser on https; the scheme here is unknown. */
function withoutDefaultPort(host: string): string {
  return host.toLowerCase().replace(/:(?:443|80)$/, '')
}

/**
 * @param headers of the request
 * @param trustedOrigins origins such as `https://app.example` that may act for a signed-in person
 */
export function isSameOrigin(headers: Headers, trustedOrigins: readonly string[]): boolean {
  const site = headers.get('sec-fetch-site')
  if (site === 'same-origin' || site === 'none') return true
  const origin = headers.get('origin')
  if (origin === null) return site === null
  if (trustedOrigins.includes(origin)) return true
  const originHost = hostOf(origin)
  const host = headers.get('host')
  return originHost !== null && host !== null && withoutDefaultPort(originHost) === withoutDefaultPort(host)
}
