/**
 * Sessions for pages that a browser shows: the cookie is HttpOnly, so that no script can read it, and requests that
 * change something are refused from other sites. Run `bun examples/sessions.ts` and open http://localhost:3000.
 */
import { Elysia, t } from 'elysia'
import { createMachineAuth, machineAuth } from 'elysia-machine-auth'

const PAGE = `<!doctype html>
<title>Sessions</title>
<form><input name="email" value="alice@example.com"><input name="password" type="password"><button>Log in</button></form>
<button id="logout">Log out</button>
<pre></pre>
<script type="module">
  const show = async () => { document.querySelector('pre').textContent = await (await fetch('/profile')).text() }
  document.querySelector('form').onsubmit = async (event) => {
    event.preventDefault()
    const body = JSON.stringify(Object.fromEntries(new FormData(event.target)))
    await fetch('/auth/sessions', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })
    await show()
  }
  document.querySelector('#logout').onclick = () => fetch('/auth/sessions/current', { method: 'DELETE' }).then(show)
  await show()
</script>`

export async function createApp(password = process.env.DEMO_PASSWORD || crypto.randomUUID()) {
  const core = createMachineAuth({
    database: 'sqlite::memory:',
    // Ends after a week, and after an hour without a request. Outside development it is `__Host-session_id; Secure`.
    sessions: { ttl: '7d', idleTtl: '1h', sameSite: 'lax', trustedOrigins: ['https://admin.example.com'] },
  })
  await core.users.create({ email: 'alice@example.com', password, roles: [] })
  console.log(`Log in as alice@example.com with ${password}`)

  const notes: { author: string; text: string }[] = []
  return new Elysia()
    .use(machineAuth(core))
    .get(
      '/',
      ({ set }) => {
        set.headers['content-type'] = 'text/html; charset=utf-8'
        return PAGE
      },
      { public: true },
    )
    .guard({ session: true, currentUser: { via: ['session'] } }, (app) =>
      app
        .get('/profile', ({ currentUser, session }) => ({ email: currentUser.email, until: session.expiresAt }))
        .get('/notes', ({ currentUser }) => notes.filter((note) => note.author === currentUser.id))
        .post(
          '/notes',
          ({ currentUser, body, status }) => {
            const note = { author: currentUser.id, text: body.text }
            notes.push(note)
            return status(201, note)
          },
          { body: t.Object({ text: t.String({ maxLength: 1000 }) }) },
        ),
    )
}

if (import.meta.main) (await createApp()).listen(process.env.PORT ?? 3000)
