/** metrics.md names every metric, as what it is and by its labels. */
import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeMetrics, parseMetrics, textOfAll } from '../support/metrics.ts'

const page = readFileSync(join(import.meta.dir, '../../docs/metrics.md'), 'utf8')
const text = await textOfAll()
const rows = [...page.matchAll(/^\| `((?:machine_auth|process)_\w+)` \| (\w+) \|(.*?)\| (.+) \|$/gm)]

describe('metrics.md', () => {
  test('has a row for each metric, with its type and labels', () => {
    const described = rows.map(([, name = '', type = '', labels = '']) => ({
      name,
      type,
      labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label),
    }))
    const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name)
    const isThere = ({ name }: { name: string }) => process.platform === 'linux' || !name.endsWith('_fds')
    expect(described.filter(isThere).toSorted(byName)).toEqual(describeMetrics(text).toSorted(byName))
  })

  test('names every value that a label of ours may have, but for codes and ports', () => {
    const isLeftToOthers = (label: string) =>
      ['le', 'code', 'port', 'runtime', 'version', 'runtime_version'].includes(label)
    for (const series of parseMetrics(text).keys()) {
      for (const [, label = '', value = ''] of series.matchAll(/(\w+)="([^"]*)"/g)) {
        if (!isLeftToOthers(label)) expect(page).toContain(`\`${value}\``)
      }
    }
  })

  test('asks in its examples for what there is', () => {
    const names = new Set(describeMetrics(text).map(({ name }) => name))
    const asked = [...page.matchAll(/\b(machine_auth_[a-z_]+?)(?:_bucket)?(?=[[{`])/g)].map(([, name = '']) => name)
    expect(asked.filter((name) => !names.has(name))).toEqual([])
  })
})
