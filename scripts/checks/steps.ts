export interface Step {
  readonly name: string
  /** What follows `bun` on the command line. */
  readonly args: readonly string[]
}

/**
 * Runs every step, one after the other, also after a failure: one run shows everything there is to mend.
 * A step that passes prints one line, a step that fails prints what it said first.
 *
 * @param cwd where the commands run
 * @returns the names of the steps that failed
 */
export async function runSteps(steps: readonly Step[], cwd: string): Promise<string[]> {
  const failed: string[] = []
  for (const { name, args } of steps) {
    const start = performance.now()
    const run = Bun.spawn([process.execPath, ...args], { cwd, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
    const [out, err, code] = await Promise.all([
      new Response(run.stdout).text(),
      new Response(run.stderr).text(),
      run.exited,
    ])
    const took = `${((performance.now() - start) / 1000).toFixed(1)} s`
    if (code === 0) {
      console.log(`ok    ${name} (${took})${summaryOf(out + err)}`)
      continue
    }
    failed.push(name)
    process.stdout.write(`${out}${err}`)
    console.log(`FAIL  ${name} (${took}, exit ${code}): bun ${args.join(' ')}`)
  }
  return failed
}

/** What a test run counted; nothing for other commands. */
function summaryOf(output: string): string {
  const [passed, skipped] = ['pass', 'skip'].map((word) => new RegExp(`^\\s*(\\d+) ${word}$`, 'm').exec(output)?.[1])
  if (passed === undefined) return ''
  return skipped === undefined ? `: ${passed} passed` : `: ${passed} passed, ${skipped} skipped`
}
