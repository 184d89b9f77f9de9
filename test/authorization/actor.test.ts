import { describe, expect, test } from 'bun:test'
import {
  type Actor,
  isWithinReach,
  reachOf,
  requireCovering,
  requireGrantable,
  requirePlatform,
  requireRolesOf,
  SYSTEM,
} from '../../src/authorization/actor.ts'
import { PermissionSet } from '../../src/authorization/permission-set.ts'
import { MachineAuthError } from '../../src/errors.ts'
import { actorWith } from '../support/services.ts'

const inside = (permissions: readonly string[]) => actorWith(permissions, { organizationId: 'org_1' })

describe('reach', () => {
  test.each([
    { name: 'the system', actor: SYSTEM, reach: { kind: 'platform' } },
    { name: 'platform.admin', actor: actorWith(['platform.admin']), reach: { kind: 'platform' } },
    {
      name: '* inside an organization',
      actor: inside(['*']),
      reach: { kind: 'organization', organizationId: 'org_1' },
    },
    { name: 'machine_auth.*', actor: actorWith(['machine_auth.*']), reach: { kind: 'own', userId: null } },
    { name: 'a person', actor: actorWith([], { userId: 'user_1' }), reach: { kind: 'own', userId: 'user_1' } },
  ] as const)('of $name', ({ actor, reach }) => {
    expect(reachOf(actor)).toEqual(reach)
  })

  test.each([
    { thing: { organizationId: null, userId: null }, within: [true, false, false] },
    { thing: { organizationId: 'org_1', userId: null }, within: [true, true, false] },
    { thing: { organizationId: 'org_2', userId: null }, within: [true, false, false] },
    { thing: { organizationId: null, userId: 'user_1' }, within: [true, false, true] },
    { thing: { organizationId: 'org_2', userId: 'user_1' }, within: [true, false, false] },
    { thing: { organizationId: null, userId: 'user_2' }, within: [true, false, false] },
  ])('of $thing.organizationId, $thing.userId', ({ thing, within }) => {
    const actors = [SYSTEM, inside([]), actorWith([], { userId: 'user_1' })]
    const seen: readonly boolean[] = actors.map((actor) => isWithinReach(reachOf(actor), thing))
    expect(seen).toEqual(within)
  })

  test('nobody without a user owns what has no user', () => {
    expect(isWithinReach({ kind: 'own', userId: null }, { organizationId: null, userId: null })).toBe(false)
  })
})

describe('what an actor may give', () => {
  const lackedBy = (work: () => void) => {
    try {
      work()
    } catch (error) {
      if (error instanceof MachineAuthError && error.code === 'permission_required') return error.extras.required
      throw error
    }
    return null
  }

  test.each([
    { name: 'nothing', actor: actorWith([]), wanted: [], lacked: null },
    { name: 'what he has', actor: actorWith(['users.*']), wanted: ['users.view', 'users.*'], lacked: null },
    {
      name: 'more',
      actor: actorWith(['users.view']),
      wanted: ['users.view', 'users.*', '*'],
      lacked: ['users.*', '*'],
    },
    { name: 'everything, on the platform', actor: SYSTEM, wanted: ['*', 'platform.admin'], lacked: null },
    {
      name: 'the platform, from inside',
      actor: inside(['*']),
      wanted: ['*', 'platform.admin', 'platform.*', 'users.*'],
      lacked: ['*', 'platform.admin', 'platform.*'],
    },
  ])('$name', ({ actor, wanted, lacked }) => {
    expect(lackedBy(() => requireGrantable(actor, wanted))).toEqual(lacked)
  })

  test('to act on somebody one needs all that he has, also inside an organization', () => {
    expect(lackedBy(() => requireCovering(inside(['*']), ['*']))).toBeNull()
    expect(lackedBy(() => requireCovering(inside(['users.*']), ['users.view', 'posts.view']))).toEqual(['posts.view'])
  })

  test('the platform is for who has it and belongs to no organization', () => {
    expect(lackedBy(() => requirePlatform(actorWith(['platform.admin'])))).toBeNull()
    for (const actor of [inside(['*']), actorWith(['machine_auth.*'])]) {
      expect(lackedBy(() => requirePlatform(actor))).toEqual(['platform.admin'])
    }
  })
})

describe('requireRolesOf', () => {
  const GRANTS: Readonly<Record<string, readonly string[]>> = { admin: ['*'], user: ['posts.view'], operator: [] }
  const grantsOf = (role: string) => GRANTS[role] ?? []
  const who = (permissions: readonly string[], organizationId: string | null, ...roles: readonly string[]): Actor => ({
    id: 'user_1',
    organizationId,
    user: { id: 'user_1', roles },
    granted: new PermissionSet(permissions),
  })

  test.each<[string, Actor, readonly string[], readonly string[]]>([
    ['the platform gives any', who(['*'], null), ['admin', 'user', 'operator'], []],
    ['everybody gives what he has', who(['posts.view'], 'org_1', 'user', 'operator'), ['user', 'operator'], []],
    ['nobody gives what he has not', who(['posts.view'], 'org_1', 'user'), ['user', 'admin'], ['admin']],
    ['not by its permissions either', who(['posts.*'], 'org_1'), ['user'], ['user']],
    ['everything in an organization is enough for one that grants something', who(['*'], 'org_1'), ['user'], []],
    ['and not for one that is a name alone', who(['*'], 'org_1'), ['user', 'operator'], ['operator']],
    ['unless he has it', who(['*'], 'org_1', 'operator'), ['operator'], []],
    ['nor for one that is unknown', who(['*'], 'org_1'), ['ghost'], ['ghost']],
  ])('%s', (_, actor, roles, missing) => {
    let required: readonly string[] = []
    try {
      requireRolesOf(actor, roles, grantsOf)
    } catch (error) {
      required = error instanceof MachineAuthError ? (error.extras.required ?? []) : ['another error']
    }
    expect(required).toEqual([...missing])
  })
})
