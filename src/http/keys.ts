/** `/keys`: API keys. */
import { t } from 'elysia'
import type { KeyService } from '../keys/service.ts'
import { createEndpoints, refusing } from './base.ts'
import { IdempotencyHeader, type Idempotent } from './idempotency.ts'
import { CreatedKey, KeyList, KeyVerification, KeyView, LockdownModel } from './models/key-views.ts'
import {
  ChangeKey,
  CreateKey,
  ImportKey,
  KeyId,
  ListKeysQuery,
  LockDownKeys,
  RevokeKey,
  RotateKey,
  VerifyKey,
} from './models/keys.ts'
import type { MountPoint } from './mount-point.ts'

const tags = ['API keys']
const params = t.Object({ id: KeyId })

interface KeyEndpointServices {
  readonly keys: KeyService
  readonly idempotent: Idempotent
}

export function createKeyEndpoints(prefix: string, mount: MountPoint, { keys, idempotent }: KeyEndpointServices) {
  return createEndpoints('keys', mount)
    .post(`${prefix}/keys`, (call) => idempotent(call, () => keys.create(call.body, call.actor)), {
      machineAuthManagement: 'machine_auth.keys.create',
      headers: IdempotencyHeader,
      body: CreateKey,
      response: { 201: CreatedKey },
      detail: {
        ...refusing(400, 404, 409, 413, 422),
        tags,
        summary: 'Create an API key',
        description: 'The answer holds the raw key, this once.',
      },
    })
    .post(`${prefix}/keys/import`, (call) => idempotent(call, () => keys.import(call.body, call.actor)), {
      machineAuthManagement: 'machine_auth.keys.create',
      headers: IdempotencyHeader,
      body: ImportKey,
      response: { 201: KeyView },
      detail: {
        ...refusing(400, 404, 409, 413, 422),
        tags,
        summary: 'Import an API key',
        description:
          'Takes over a key that was made elsewhere, by its hash. Needs platform reach. 409 for a hash that was imported before.',
      },
    })
    .get(
      `${prefix}/keys`,
      ({ query: { cursor, limit, ...filter }, actor }) => keys.list(filter, { cursor, limit }, actor),
      {
        machineAuthManagement: 'machine_auth.keys.view',
        query: ListKeysQuery,
        response: { 200: KeyList },
        detail: { ...refusing(400, 404, 413, 422), tags, summary: 'List API keys' },
      },
    )
    .get(`${prefix}/keys/:id`, ({ params: { id }, actor }) => keys.find(id, actor), {
      machineAuthManagement: 'machine_auth.keys.view',
      params,
      response: { 200: KeyView },
      detail: { ...refusing(404), tags, summary: 'Show an API key' },
    })
    .patch(`${prefix}/keys/:id`, ({ params: { id }, body, actor }) => keys.update(id, body, actor), {
      machineAuthManagement: 'machine_auth.keys.update',
      params,
      body: ChangeKey,
      response: { 200: KeyView },
      detail: {
        ...refusing(400, 404, 409, 413, 422),
        tags,
        summary: 'Change, disable or enable an API key',
        description: 'Only the members given, from the next request on. A revoked key stays as it is.',
      },
    })
    .post(
      `${prefix}/keys/:id/rotate`,
      (call) => idempotent(call, () => keys.rotate(call.params.id, call.body ?? {}, call.actor)),
      {
        machineAuthManagement: 'machine_auth.keys.update',
        params,
        headers: IdempotencyHeader,
        body: RotateKey,
        response: { 201: CreatedKey },
        detail: {
          ...refusing(400, 404, 409, 413, 422),
          tags,
          summary: 'Rotate an API key',
          description:
            'A new key that has all the old one had; the old one works until the grace period ends, and never past its own expiry.',
        },
      },
    )
    .post(`${prefix}/keys/lockdown`, ({ body, actor }) => keys.lockdown(body, actor), {
      machineAuthManagement: 'machine_auth.keys.delete',
      body: LockDownKeys,
      response: { 200: LockdownModel },
      detail: {
        ...refusing(400, 404, 413, 422),
        tags,
        summary: 'Revoke many API keys at once',
        description: 'All of a user, of an organization or from before a moment; with `dryRun` only their number.',
      },
    })
    .post(
      `${prefix}/keys/:id/revoke`,
      ({ params: { id }, body, actor }) => keys.revoke(id, { reason: body?.reason }, actor),
      {
        machineAuthManagement: 'machine_auth.keys.delete',
        params,
        body: RevokeKey,
        response: { 200: KeyView },
        detail: {
          ...refusing(400, 404, 413, 422),
          tags,
          summary: 'Revoke an API key',
          description: 'For good. It is refused from the next request on.',
        },
      },
    )
    .delete(`${prefix}/keys/:id`, ({ params: { id }, actor }) => keys.revoke(id, {}, actor), {
      machineAuthManagement: 'machine_auth.keys.delete',
      params,
      response: { 200: KeyView },
      detail: {
        ...refusing(404),
        tags,
        summary: 'Revoke an API key',
        description: 'The same as revoking it without a reason.',
      },
    })
    .post(`${prefix}/keys/verify`, ({ body, actor }) => keys.verify(body, actor), {
      machineAuthManagement: 'machine_auth.keys.verify',
      body: VerifyKey,
      response: { 200: KeyVerification },
      detail: {
        ...refusing(400, 413, 422),
        tags,
        summary: 'Verify an API key',
        description: 'For services that are not Elysia apps. Always 200: the answer says whether the key is valid.',
      },
    })
}
