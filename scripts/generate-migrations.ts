/**
 * Generates the migrations of both dialects from the schemas, or with `--check` fails when that would make new ones.
 *
 * bun scripts/generate-migrations.ts NAME
 * bun scripts/generate-migrations.ts --check
 */
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'

const DIALECTS = { sqlite: 'sqlite', postgres: 'postgresql' } as const
const ROOT = join(import.meta.dir, '..')
const DRIZZLE = join(ROOT, 'src/storage/drizzle')

function generate(dialect: keyof typeof DIALECTS, name: string, out: string): void {
  const schema = join(DRIZZLE, `schema.${dialect}.ts`)
  const parameters = [`--dialect=${DIALECTS[dialect]}`, `--schema=${schema}`, `--out=${relative(ROOT, out)}`]
  const command = ['bunx', 'drizzle-kit', 'generate', ...parameters, `--name=${name}`]
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { cwd: ROOT })
  if (exitCode !== 0) throw new Error(`drizzle-kit failed for ${dialect}:\n${stdout}${stderr}`)
}

function isUpToDate(dialect: keyof typeof DIALECTS): boolean {
  const shipped = join(DRIZZLE, 'migrations', dialect)
  const copy = mkdtempSync(join(tmpdir(), 'machine-auth-migrations-'))
  try {
    cpSync(shipped, copy, { recursive: true })
    generate(dialect, 'check', copy)
    return readdirSync(copy).length === readdirSync(shipped).length
  } finally {
    rmSync(copy, { recursive: true })
  }
}

const [argument] = process.argv.slice(2)
const dialects = Object.keys(DIALECTS) as (keyof typeof DIALECTS)[]
if (argument === '--check') {
  const stale = dialects.filter((dialect) => !isUpToDate(dialect))
  if (stale.length > 0) {
    console.error(`The schema has changes without a migration (${stale.join(', ')}).`)
    console.error('Run: bun scripts/generate-migrations.ts NAME')
    process.exit(1)
  }
} else if (argument !== undefined && /^[a-z0-9_]+$/.test(argument)) {
  for (const dialect of dialects) generate(dialect, argument, join(DRIZZLE, 'migrations', dialect))
} else {
  console.error('Usage: bun scripts/generate-migrations.ts NAME (a-z, 0-9, _) | --check')
  process.exit(2)
}
