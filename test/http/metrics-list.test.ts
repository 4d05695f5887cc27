import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { startNode, uniqueCluster } from '../e2e/harness/node-process.ts'

const docs = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')

test('docs/metrics.md lists the metrics of a running node, and the dashboard asks for none that is not there', async () => {
  const node = await startNode({ dataDir: ':memory:', cluster: uniqueCluster() })
  const text = await (await fetch(`${node.url}/metrics`)).text()
  const told = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, type]) => `${name} ${type}`)
  const listed = [...docs('metrics.md').matchAll(/^\| `(flags_\w+)` \| (\w+) \|/gm)].map(
    ([, name, type]) => `${name} ${type}`,
  )
  expect(listed.sort()).toEqual(told.filter((line) => line.startsWith('flags_')).sort())

  const names = new Set(told.map((line) => line.split(' ')[0]))
  const asked = [...docs('grafana-dashboard.json').matchAll(/\b(?:flags|nodejs|process)_\w+/g)].map(([name]) =>
    name.replace(/^(flags_http_request_seconds)_(bucket|count|sum)$/, '$1'),
  )
  expect(asked.length).toBeGreaterThan(15)
  for (const name of asked) expect(names).toContain(name)
})
