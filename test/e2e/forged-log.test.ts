import { expect, test } from 'vitest'
import { SqliteStore } from '../../src/storage/sqlite-store.ts'
import { ask, convergence } from './harness/api.ts'
import { makeDirectory, type NodeProcess, startNode, uniqueCluster } from './harness/node-process.ts'
import { until } from './harness/until.ts'

interface Verification {
  readonly intact: boolean
  readonly entries: number
  readonly digest: string
  readonly refused: readonly string[]
}

async function verify(node: NodeProcess): Promise<Verification> {
  return (await ask(node, 'GET', '/audit/verify'))?.body as unknown as Verification
}

/** Changes an entry in the file of a node that is stopped, as its store writes it; returns the entry's register. */
async function forge(dataDir: string, from: string, to: string): Promise<string> {
  const store = new SqliteStore(dataDir)
  const { records, notes } = await store.load()
  const entry = [...records].find(({ key, value }) => key.startsWith('log|') && textOf(value).includes(from))
  if (entry === undefined) throw new Error(`no entry says ${from}`)
  await store.remove([entry.key])
  await store.append([{ ...entry, value: new TextEncoder().encode(textOf(entry.value).replaceAll(from, to)) }], notes)
  await store.close()
  return entry.key
}

function textOf(value: Uint8Array | null): string {
  return new TextDecoder().decode(value ?? undefined)
}

// Of two records of one stamp the greater wins, whoever wrote it: a forgery must not get so far.
test.each(['aaa', 'zzz'])(
  'an entry that was changed to %s in the file of one node shows at that node, which has the genuine one from its peers, and reaches nobody else',
  async (forged) => {
    const cluster = uniqueCluster()
    const dataDir = makeDirectory()
    const peer = await startNode({ dataDir: makeDirectory(), cluster })
    const victim = await startNode({ dataDir, cluster })
    for (const description of ['one', 'two', 'three']) await ask(victim, 'PUT', '/flags/f', { description })
    await convergence([peer, victim])
    const whole = await verify(peer)
    expect(whole).toMatchObject({ intact: true, entries: 3, refused: [] })
    await victim.end('SIGTERM')
    const key = await forge(dataDir, '"two"', `"${forged}"`)

    const returned = await startNode({ dataDir, cluster })
    const found = await until('the genuine entry is back', async () => {
      const verification = await verify(returned)
      return verification.digest === whole.digest ? verification : null
    })
    expect(found).toEqual({ ...whole, intact: false, refused: [key] })
    expect(returned.log.some(({ msg }) => String(msg).startsWith('forged entries'))).toBe(true)
    expect(await verify(peer)).toEqual(whole)
  },
)
