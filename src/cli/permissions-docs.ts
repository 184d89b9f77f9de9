/** The declared permissions as a page of documentation. */
import type { PermissionEntry } from '../authorization/registry.ts'
import { toLine } from './terminal/text.ts'

/** Permissions of one module; null for those that belong to none. */
interface ModuleDocs {
  readonly module: string | null
  readonly permissions: readonly Pick<PermissionEntry, 'name' | 'label' | 'source'>[]
}

export function groupByModule(entries: readonly PermissionEntry[]): readonly ModuleDocs[] {
  return [...Map.groupBy(entries, ({ module }) => module)]
    .sort(([a], [b]) => ((a ?? '') < (b ?? '') ? -1 : 1))
    .map(([module, of]) => ({ module, permissions: of.map(({ name, label, source }) => ({ name, label, source })) }))
}

function cell(text: string): string {
  return toLine(text).replaceAll('\\', '\\\\').replaceAll('|', '\\|')
}

function section({ module, permissions }: ModuleDocs): string {
  const rows = permissions.map(({ name, label }) => `| \`${name}\` | ${cell(label)} |`)
  return [`## ${module ?? 'Of no module'}`, '', '| permission | what for |', '| --- | --- |', ...rows].join('\n')
}

/** One table a module. */
export function toMarkdown(entries: readonly PermissionEntry[]): string {
  return ['# Permissions', ...groupByModule(entries).map(section)].join('\n\n')
}
