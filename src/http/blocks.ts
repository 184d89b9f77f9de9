/** `/blocks`: whom nothing is served to, for a while. */
import { t } from 'elysia'
import type { BlockService } from '../blocks/service.ts'
import { createEndpoints, refusing } from './base.ts'
import { IdempotencyHeader, type Idempotent } from './idempotency.ts'
import { BlockId, BlockList, BlockModel, CreateBlock, ListBlocksQuery } from './models/blocks.ts'
import type { MountPoint } from './mount-point.ts'

const tags = ['Blocks']
const params = t.Object({ id: BlockId })

interface BlockEndpointServices {
  readonly blocks: BlockService
  readonly idempotent: Idempotent
}

export function createBlockEndpoints(prefix: string, mount: MountPoint, { blocks, idempotent }: BlockEndpointServices) {
  return createEndpoints('blocks', mount)
    .post(`${prefix}/blocks`, (call) => idempotent(call, () => blocks.add(call.body, call.actor)), {
      machineAuthManagement: 'machine_auth.blocks.create',
      headers: IdempotencyHeader,
      body: CreateBlock,
      response: { 201: BlockModel },
      detail: {
        ...refusing(400, 409, 413, 422),
        tags,
        summary: 'Block an address or subject',
        description: 'It gets 403 `address_blocked` from the next request on. Needs platform reach.',
      },
    })
    .get(`${prefix}/blocks`, ({ query, actor }) => blocks.list(query, actor), {
      machineAuthManagement: 'machine_auth.blocks.view',
      query: ListBlocksQuery,
      response: { 200: BlockList },
      detail: {
        ...refusing(400, 422),
        tags,
        summary: 'List blocks in force',
        description: 'Made by people, by too many wrong credentials, and by limits with a lockout.',
      },
    })
    .get(`${prefix}/blocks/:id`, ({ params: { id }, actor }) => blocks.find(id, actor), {
      machineAuthManagement: 'machine_auth.blocks.view',
      params,
      response: { 200: BlockModel },
      detail: { ...refusing(404), tags, summary: 'Show a block in force' },
    })
    .delete(
      `${prefix}/blocks/:id`,
      async ({ params: { id }, actor, set }) => {
        await blocks.remove(id, actor)
        set.status = 204
      },
      {
        machineAuthManagement: 'machine_auth.blocks.delete',
        params,
        response: { 204: t.Void() },
        detail: { ...refusing(404), tags, summary: 'End a block' },
      },
    )
}
