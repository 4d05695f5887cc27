import { expect, test } from 'vitest'
import { convergence, flagKeysOf, meshOf, startWriters } from './harness/api.ts'
import { makeDirectory, startNode, uniqueCluster } from './harness/node-process.ts'
import { until } from './harness/until.ts'

/** Writes before a crash: enough that some are on their way when it comes. */
const writesBeforeCrash = 60
/** Times that the whole mesh loses its power. */
const powerLosses = 5

function acknowledging(writers: { readonly acknowledged: readonly string[] }, count: number): Promise<true> {
  return until(`${count} writes are acknowledged`, async () => (writers.acknowledged.length >= count ? true : null))
}

function missingFrom(keys: ReadonlySet<string>, acknowledged: readonly string[]): string[] {
  return acknowledged.filter((key) => !keys.has(key))
}

test('a node killed during writes returns under its identity, with all it acknowledged, and converges', async () => {
  const cluster = uniqueCluster()
  const directories = [makeDirectory(), makeDirectory(), makeDirectory()]
  const nodes = await Promise.all(directories.map((dataDir) => startNode({ dataDir, cluster })))
  await convergence(nodes)
  const victim = nodes[1] as (typeof nodes)[number]
  const { self } = await meshOf(victim)

  const writers = startWriters(nodes, 'flag')
  await acknowledging(writers, writesBeforeCrash)
  expect(await victim.end('SIGKILL')).toBeNull()
  await acknowledging(writers, 2 * writesBeforeCrash)
  const restarted = await startNode({ dataDir: directories[1] as string, cluster })
  await writers.stop()

  expect((await meshOf(restarted)).self.id).toBe(self.id)
  const after = [nodes[0], restarted, nodes[2]] as typeof nodes
  await convergence(after)
  for (const node of after) expect(missingFrom(await flagKeysOf(node), writers.acknowledged)).toEqual([])
})

test('every acknowledged write is there after all nodes were killed at once during writes, again and again', async () => {
  const cluster = uniqueCluster()
  const directories = [makeDirectory(), makeDirectory(), makeDirectory()]
  let nodes = await Promise.all(directories.map((dataDir) => startNode({ dataDir, cluster })))
  await convergence(nodes)
  const acknowledged: string[] = []
  for (let round = 0; round < powerLosses; round++) {
    const writers = startWriters(nodes, `round-${round}`)
    await acknowledging(writers, writesBeforeCrash)
    expect(await Promise.all(nodes.map((node) => node.end('SIGKILL')))).toEqual([null, null, null])
    await writers.stop()
    acknowledged.push(...writers.acknowledged)

    nodes = await Promise.all(directories.map((dataDir) => startNode({ dataDir, cluster })))
    await convergence(nodes)
    for (const node of nodes) expect(missingFrom(await flagKeysOf(node), acknowledged)).toEqual([])
  }
})
