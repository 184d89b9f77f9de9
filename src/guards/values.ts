/**
 * What may be written behind a guard. JavaScript can pass anything, and a value that switches a guard off, or a
 * misspelt member that nobody looks at, would be a guard that is not there.
 */

import type { Environment } from '../storage/records.ts'
import { type ApiKeyRequirement, type PermissionRequirement, toPermissionRule } from './requirements.ts'

function isGiven(name: unknown): boolean {
  return typeof name === 'string' && name !== ''
}

/** @throws TypeError naming the guard */
export function requireTrue(guard: string, value: unknown): void {
  if (value !== true) throw new TypeError(`${guard}: write ${guard}: true, or leave it out`)
}

/** @throws TypeError naming the guard */
export function requireNames(guard: string, names: unknown, known?: readonly string[]): void {
  if (!Array.isArray(names) || names.length === 0 || !names.every(isGiven)) {
    throw new TypeError(`${guard}: name at least one; an empty or missing name would guard nothing`)
  }
  const unknown = known === undefined ? [] : names.filter((name) => !known.includes(name))
  if (unknown.length > 0) throw new TypeError(`${guard}: unknown ${unknown.join(', ')}; it takes ${known?.join(', ')}`)
}

const ENVIRONMENTS: readonly Environment[] = ['live', 'test']

/** @throws TypeError for requirements of a key that would demand nothing, or that nobody looks at */
export function requireApiKeyValue(value: true | ApiKeyRequirement): void {
  if (value === true) return
  requireMembers('apiKey', value, ['permissions', 'environment'])
  const { permissions, environment } = value
  if (permissions !== undefined) requireNames('apiKey.permissions', permissions)
  if (environment !== undefined) requireNames('apiKey.environment', [environment], ENVIRONMENTS)
}

/** @throws TypeError for permissions that would demand nothing */
export function requirePermissionValue(value: PermissionRequirement): void {
  if (typeof value !== 'string' && !Array.isArray(value)) requireMembers('requirePermission', value, ['any'])
  requireNames('requirePermission', toPermissionRule(value).names)
}

/**
 * Demands an object of requirements with these members alone.
 *
 * @throws TypeError naming the guard
 */
export function requireMembers(guard: string, value: unknown, members: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`${guard}: write true or an object of requirements, or leave it out`)
  }
  const unknown = Object.keys(value).filter((member) => !members.includes(member))
  if (unknown.length > 0) throw new TypeError(`${guard}: unknown ${unknown.join(', ')}; it takes ${members.join(', ')}`)
}
