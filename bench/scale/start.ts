/** How long a server takes from being started to its first answer. */
import { median } from '../median.ts'
import { startChild } from './child.ts'
import { SERVER, type Setting, type Word } from './server.ts'
import { keyTextOf } from './texts.ts'

/** @returns ms */
async function timeStart(setting: Setting, status: number): Promise<number> {
  const began = performance.now()
  const server = await startChild<Word>([SERVER, JSON.stringify(setting)], 0)
  const answer = await fetch(`http://127.0.0.1:${server.hello.port}/`, { headers: { 'x-api-key': keyTextOf(0) } })
  await answer.text()
  const took = performance.now() - began
  await server.stop()
  if (answer.status !== status) throw new Error(`the first answer was ${answer.status}`)
  return took
}

export interface Starts {
  /** ms, the least: what the machine did besides only adds to it. */
  readonly least: number
  /** ms */
  readonly median: number
}

/** @param cases what is started, and the status of its first answer, in turn */
export async function compareStarts(
  cases: Readonly<Record<string, { readonly setting: Setting; readonly status: number }>>,
  rounds: number,
): Promise<ReadonlyMap<string, Starts>> {
  const times = new Map<string, number[]>(Object.keys(cases).map((name) => [name, []]))
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, { setting, status }] of Object.entries(cases)) {
      times.get(name)?.push(await timeStart(setting, status))
    }
  }
  return new Map([...times].map(([name, each]) => [name, { least: Math.min(...each), median: median(each) }]))
}
