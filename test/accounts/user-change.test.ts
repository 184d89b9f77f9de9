import { describe, expect, test } from 'bun:test'
import { isDisabling, isGivingNothingNew } from '../../src/accounts/user-change.ts'
import type { UserChange } from '../../src/accounts/user-input.ts'

const PRESENT = ['editor', 'member']

describe('what a change does', () => {
  test.each<{ change: UserChange; disabling: boolean; nothingNew: boolean }>([
    { change: { status: 'disabled' }, disabling: true, nothingNew: true },
    { change: { status: 'disabled', email: undefined, roles: undefined }, disabling: true, nothingNew: true },
    { change: { status: 'disabled', roles: [] }, disabling: false, nothingNew: true },
    { change: { status: 'active' }, disabling: false, nothingNew: true },
    { change: { status: 'active', roles: ['member'] }, disabling: false, nothingNew: true },
    { change: { roles: ['member', 'editor'] }, disabling: false, nothingNew: true },
    { change: {}, disabling: false, nothingNew: true },
    { change: { roles: ['member', 'admin'] }, disabling: false, nothingNew: false },
    { change: { status: 'disabled', password: 'x' }, disabling: false, nothingNew: false },
    { change: { status: 'disabled', organizationId: null }, disabling: false, nothingNew: false },
    { change: { status: 'active', email: 'a@example.com' }, disabling: false, nothingNew: false },
    { change: { status: 'active', roles: ['admin'] }, disabling: false, nothingNew: false },
    { change: { organizationId: null }, disabling: false, nothingNew: false },
  ])('$change', ({ change, disabling, nothingNew }) => {
    expect(isDisabling(change)).toBe(disabling)
    expect(isGivingNothingNew(change, PRESENT)).toBe(nothingNew)
  })
})
