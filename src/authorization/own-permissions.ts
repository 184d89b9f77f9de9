/** The permissions of the management endpoints, each with what it is for. */
import { PLATFORM_ADMIN } from './permission-set.ts'

const RESOURCES = {
  keys: {
    label: 'API keys',
    verbs: ['view', 'create', 'update', 'delete', 'verify'],
  },
  organizations: { label: 'Organizations', verbs: ['view', 'create', 'update'] },
  users: { label: 'Users', verbs: ['view', 'create', 'update'] },
  roles: { label: 'Roles', verbs: ['view', 'update', 'delete'] },
  permissions: { label: 'Permission registry', verbs: ['view', 'update'] },
  blocks: { label: 'Blocks', verbs: ['view', 'create', 'delete'] },
  audit: { label: 'Audit log', verbs: ['view'] },
  usage: { label: 'Usage', verbs: ['view', 'create'] },
  stats: { label: 'Statistics', verbs: ['view'] },
  logs: { label: 'Request log', verbs: ['view'] },
  metrics: { label: 'Metrics', verbs: ['view'] },
} as const satisfies Readonly<Record<string, { readonly label: string; readonly verbs: readonly string[] }>>

type Resources = typeof RESOURCES

/** A permission that one of our own endpoints asks for. */
export type OwnPermission = {
  [R in keyof Resources & string]: `machine_auth.${R}.${Resources[R]['verbs'][number]}`
}[keyof Resources & string]

export const OWN_PERMISSIONS: readonly { readonly name: string; readonly module: string; readonly label: string }[] = [
  ...Object.entries(RESOURCES).flatMap(([resource, { label, verbs }]) =>
    verbs.map((verb) => ({
      name: `machine_auth.${resource}.${verb}`,
      module: `machine_auth.${resource}`,
      label: `${label}: ${verb}`,
    })),
  ),
  { name: PLATFORM_ADMIN, module: 'platform', label: 'Platform: everything that belongs to no one organization' },
]
