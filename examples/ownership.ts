/**
 * Things that belong to somebody: the guard loads the note, answers 404 when there is none, and lets in its owner and
 * whoever holds `notes.moderate`. Run `bun examples/ownership.ts` and use the keys it prints.
 */
import { Elysia, t } from 'elysia'
import { authorizedResource, createMachineAuth, machineAuth } from 'elysia-machine-auth'

interface Note {
  readonly id: string
  readonly ownerId: string
  readonly text: string
  readonly folderId: string
}

export async function createApp() {
  const core = createMachineAuth({
    database: 'sqlite::memory:',
    roles: { writer: [], moderator: ['notes.moderate'] },
  })
  async function createPerson(name: string, role: 'writer' | 'moderator') {
    const { id } = await core.users.create({ email: `${name}@example.com`, roles: [role] })
    // A key acts for its owner, and may do what both of them may.
    const permissions = role === 'moderator' ? ['notes.moderate'] : []
    const { rawKey } = await core.keys.create({ name, userId: id, permissions })
    console.log(`${name}: X-API-Key: ${rawKey}`)
    return id
  }
  const alice = await createPerson('alice', 'writer')
  await createPerson('bob', 'writer')
  await createPerson('mia', 'moderator')

  const notes = new Map<string, Note>([['1', { id: '1', ownerId: alice, text: 'Mine.', folderId: 'a' }]])
  const folders = new Map([['a', { id: 'a', ownerId: alice }]])

  const ownNote = authorizedResource('note', {
    load: ({ params }) => notes.get(params.id ?? ''),
    owner: (note) => note.ownerId,
    permission: 'notes.moderate',
    // Strangers get 404 instead of 403, and cannot find out which notes there are.
    concealExistence: true,
  })

  return new Elysia()
    .use(machineAuth(core))
    .use(ownNote)
    .get('/notes/:id', ({ note }) => note, { authorizedNote: true })
    .put(
      '/notes/:id',
      async ({ auth, note, body }) => {
        // What only the body names is proved in the handler: the folder it moves to must be the caller's too.
        const folder = await auth.authorizedResource(folders.get(body.folderId), { owner: ({ ownerId }) => ownerId })
        notes.set(note.id, { ...note, text: body.text, folderId: folder.id })
        return notes.get(note.id)
      },
      { authorizedNote: true, body: t.Object({ text: t.String(), folderId: t.String() }) },
    )
    .delete('/notes/:id', ({ note }) => ({ deleted: notes.delete(note.id) }), { authorizedNote: true })
}

if (import.meta.main) (await createApp()).listen(process.env.PORT ?? 3000)
