/** The commands of README, read as a shell reads them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './support.ts'

export const README = readFileSync(join(ROOT, 'README.md'), 'utf8')

/** The code blocks of one language, from a heading to the next one of its level. */
export function blocksUnder(heading: string, language: string): readonly string[] {
  const start = README.indexOf(`\n${heading}\n`)
  if (start === -1) throw new Error(`README has no heading "${heading}"`)
  const end = README.indexOf('\n## ', start + 1)
  const section = README.slice(start, end === -1 ? undefined : end)
  return [...section.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, code = '']) => code,
  )
}

/**
 * The arguments of each `curl` in a block: bash itself reads quotes, variables and line ends, and calls a function that
 * prints what curl would be given. So the test needs no curl.
 */
export function curlCalls(block: string, env: Readonly<Record<string, string>>): readonly (readonly string[])[] {
  const script = `curl() { printf '%s\\0' "$@" END; }\n${block}`
  const run = Bun.spawnSync(['bash', '-euo', 'pipefail', '-c', script], {
    env: { PATH: process.env.PATH ?? '', ...env },
  })
  if (!run.success) throw new Error(`bash cannot read this:\n${block}\n${run.stderr}`)
  return run.stdout
    .toString()
    .split('END\0')
    .slice(0, -1)
    .map((call) => call.split('\0').slice(0, -1))
}

/** Does what curl does with `-s`, `-H`, `-d` and an address without a scheme. */
export async function curl(args: readonly string[]): Promise<{ readonly status: number; readonly text: string }> {
  const headers = new Headers()
  let url: string | undefined
  let body: string | undefined
  for (let index = 0; index < args.length; index += 1) {
    const option = args[index] ?? ''
    if (option === '-s') continue
    if (option === '-H' || option === '-d') {
      index += 1
      const value = args[index] ?? ''
      if (option === '-d') body = value
      else headers.append(value.slice(0, value.indexOf(':')), value.slice(value.indexOf(':') + 1).trim())
    } else if (option.startsWith('-') || url !== undefined) throw new Error(`unknown to this test: curl ${option}`)
    else url = `http://${option}`
  }
  if (url === undefined) throw new Error('curl without an address')
  const response = await fetch(url, { headers, ...(body === undefined ? {} : { method: 'POST', body }) })
  return { status: response.status, text: await response.text() }
}
