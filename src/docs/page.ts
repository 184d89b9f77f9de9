/** The documentation page: Swagger UI without inline script and without another host. */

export const DEFAULT_TITLE = 'API'

/**
 * Served as a file, because the page's policy forbids inline script. The document's address and the app's root are
 * relative to it, so that the page works below any prefix or mount.
 */
export const INITIALIZER = `'use strict'
{
  const script = document.currentScript
  const documentUrl = new URL('../json', script.src).href
  const root = new URL(script.dataset.root, documentUrl).pathname.replace(/\\/$/, '')

  // The document has paths from the app's root; where that is mounted, only the browser knows.
  function addServer(response) {
    if (root === '' || response.url !== documentUrl || !response.ok) return response
    const description = JSON.parse(response.text)
    description.servers ??= [{ url: root }]
    response.text = JSON.stringify(description)
    return response
  }

  window.ui = SwaggerUIBundle({
    dom_id: '#swagger-ui',
    url: documentUrl,
    deepLinking: true,
    validatorUrl: null,
    responseInterceptor: addServer,
  })
}
`

/**
 * `style-src` allows inline styles, which Swagger UI sets; images in its style sheet are `data:`.
 *
 * @see https://www.w3.org/TR/CSP3/
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}

export interface PageAddresses {
  /** From the page to the folder below which its files and the document are: empty or with a slash at the end. */
  readonly base: string
  /** From the document to the root of the app. */
  readonly root: string
  /** Of the files. */
  readonly version: string
}

export function respondWithPage(title: string, { base, root, version }: PageAddresses): Response {
  const asset = (name: string) => escapeHtml(`${base}assets/${name}?v=${version}`)
  const html = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${escapeHtml(title)}</title>
    <link rel="icon" type="image/png" sizes="32x32" href="${asset('favicon-32x32.png')}">
    <link rel="icon" type="image/png" sizes="16x16" href="${asset('favicon-16x16.png')}">
    <link rel="stylesheet" href="${asset('swagger-ui.css')}">
    <link rel="stylesheet" href="${asset('index.css')}">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <noscript>This page needs JavaScript. <a href="${escapeHtml(`${base}json`)}">The OpenAPI document</a> does not.</noscript>
    <script src="${asset('swagger-ui-bundle.js')}"></script>
    <script src="${asset('initializer.js')}" data-root="${escapeHtml(root)}"></script>
  </body>
</html>
`
  return new Response(html, {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': POLICY,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      'cache-control': 'no-cache',
    },
  })
}
