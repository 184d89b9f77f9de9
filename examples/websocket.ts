/**
 * A chat room for users and a feed for machines. The guard decides before the upgrade: who is refused gets an HTTP
 * answer and no socket. Run `bun examples/websocket.ts` and use the keys it prints.
 */
import { Elysia, t } from 'elysia'
import { createMachineAuth, machineAuth } from 'elysia-machine-auth'

export async function createApp(password = process.env.DEMO_PASSWORD || crypto.randomUUID()) {
  const core = createMachineAuth({
    database: 'sqlite::memory:',
    roles: { member: ['feed.view'] },
    permissions: ['feed.view'],
    // Pages of these origins may open the room with their user's cookie; any other page is refused.
    sessions: { trustedOrigins: ['https://chat.example.com'] },
  })
  const { id } = await core.users.create({ email: 'alice@example.com', password, roles: ['member'] })
  const member = await core.keys.create({ name: 'alice-cli', userId: id })
  const machine = await core.keys.create({ name: 'dashboard', permissions: ['feed.view'] })
  console.log(`alice@example.com, password ${password}, or X-API-Key: ${member.rawKey}`)
  console.log(`dashboard: X-API-Key: ${machine.rawKey}`)

  return new Elysia()
    .use(machineAuth(core))
    .ws('/room', {
      currentUser: true,
      body: t.String({ maxLength: 1000 }),
      open(ws) {
        ws.subscribe('room')
        ws.publish('room', `${ws.data.currentUser.email} came in`)
      },
      message(ws, text) {
        const line = `${ws.data.currentUser.email}: ${text}`
        ws.publish('room', line)
        ws.send(line)
      },
    })
    .ws('/feed', {
      requirePermission: 'feed.view',
      open(ws) {
        ws.send({ hello: ws.data.principal.id })
      },
    })
}

if (import.meta.main) (await createApp()).listen(process.env.PORT ?? 3000)
