#!/usr/bin/env bun
/** Checks which way imports go in `src/`: `bun scripts/check-imports.ts`. The rules are in `imports/rules.ts`. */
import { join } from 'node:path'
import { verifyImports } from './imports/verify.ts'

const source = join(import.meta.dir, '..', 'src')
const files = new Map<string, string>()
for await (const path of new Bun.Glob('**/*.{ts,tsx}').scan(source)) {
  files.set(path.replaceAll('\\', '/'), await Bun.file(join(source, path)).text())
}

const violations = verifyImports(files)
for (const { kind, file, line, message } of violations) {
  console.error(`src/${file}${line === 0 ? '' : `:${line}`} ${message} [${kind}]`)
}
if (violations.length > 0) {
  console.error(`${violations.length} found; the order of rooms is in scripts/imports/rules.ts`)
  process.exit(1)
}
console.log(`${files.size} files, every import goes down, no cycle`)
