import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ask, convergence, flagKeysOf, meshOf } from './harness/api.ts'
import { startEvaluations } from './harness/evaluation-load.ts'
import { makeDirectory, type NodeProcess, startNode, uniqueCluster } from './harness/node-process.ts'
import { until } from './harness/until.ts'

/** About a kilobyte each, so that a database of them has many pages. */
const description = 'Some words that tell one page of the database from another. '.repeat(15)

async function create(node: NodeProcess, keys: readonly string[]): Promise<void> {
  const answer = await ask(node, 'POST', '/import', { flags: keys.map((key) => ({ key, description })), segments: [] })
  expect(answer?.status).toBe(200)
}

function keys(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}-${i}`)
}

/** Destroys the middle of a file. */
function damage(path: string): void {
  const bytes = readFileSync(path)
  bytes.fill(0xa5, bytes.length >> 2, bytes.length - (bytes.length >> 2))
  writeFileSync(path, bytes)
}

test('a node whose database was damaged says so, moves it aside, and is filled by its peers under a new identity', async () => {
  const cluster = uniqueCluster()
  const dataDir = makeDirectory()
  const peer = await startNode({ dataDir: makeDirectory(), cluster })
  const victim = await startNode({ dataDir, cluster })
  await create(victim, keys('flag', 300))
  await convergence([peer, victim])
  const { self } = await meshOf(victim)
  // Asked to stop, it has nothing left in the log: all of it is in the file.
  expect(await victim.end('SIGTERM')).toBe(0)
  damage(join(dataDir, 'flags.db'))

  const returned = await startNode({ dataDir, cluster })
  const said = returned.log.find(({ msg }) => String(msg).startsWith('the database was corrupt'))
  expect(existsSync(String(said?.moved))).toBe(true)
  await convergence([peer, returned])
  expect((await meshOf(returned)).self.id).not.toBe(self.id)
  expect(await flagKeysOf(returned)).toEqual(new Set(keys('flag', 300)))
  expect((await ask(returned, 'POST', '/flags', { key: 'and-writes' }))?.status).toBe(201)
  await convergence([peer, returned])
  expect(await flagKeysOf(peer)).toContain('and-writes')
})

test('a damaged database without peers leaves an empty node that works, and the file for people', async () => {
  const cluster = uniqueCluster()
  const dataDir = makeDirectory()
  const node = await startNode({ dataDir, cluster })
  await create(node, keys('flag', 300))
  expect(await node.end('SIGTERM')).toBe(0)
  const { size } = statSync(join(dataDir, 'flags.db'))
  damage(join(dataDir, 'flags.db'))
  const returned = await startNode({ dataDir, cluster })
  expect(await flagKeysOf(returned)).toEqual(new Set())
  expect((await ask(returned, 'POST', '/flags', { key: 'new' }))?.status).toBe(201)
  const aside = readdirSync(dataDir).find((name) => /^flags\.db\.corrupt-[^.]*$/.test(name)) ?? ''
  expect(statSync(join(dataDir, aside)).size).toBe(size)
})

const isRoot = process.getuid?.() === 0 && process.platform === 'linux'
const diskName = isRoot ? '' : ' (skipped: a small disk can be made by root on Linux only)'

test.runIf(isRoot)(
  `a full disk refuses writes with 503 while evaluation and gossip go on; with room again it writes, and nothing acknowledged is lost${diskName}`,
  async () => {
    const cluster = uniqueCluster()
    const dataDir = makeDirectory()
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'flags-test', dataDir])
    onTestFinished(() => void execFileSync('umount', ['--lazy', dataDir]))
    const full = await startNode({ dataDir, cluster })
    const peer = await startNode({ dataDir: makeDirectory(), cluster })
    await convergence([full, peer])
    const load = startEvaluations([full, peer], 'first')
    const acknowledged: string[] = []
    const refused = await until(
      'a write is refused',
      async () => {
        const key = acknowledged.length === 0 ? 'first' : `flag-${acknowledged.length}`
        const answer = await ask(full, 'POST', '/flags', { key, description: description.repeat(4) })
        if (answer?.status === 201) acknowledged.push(key)
        return answer?.status === 201 ? null : answer
      },
      60_000,
    )
    expect(refused).toMatchObject({ status: 503, body: { code: 'STORAGE_UNAVAILABLE' } })
    expect(acknowledged.length).toBeGreaterThan(20)
    expect((await ask(full, 'GET', '/health'))?.status).toBe(503)
    expect((await ask(full, 'GET', '/health/ready'))?.status).toBe(200)
    // It is told what others write, and tells it to its clients.
    expect((await ask(peer, 'POST', '/flags', { key: 'by-the-peer', enabled: true }))?.status).toBe(201)
    await until('the full node knows it', async () =>
      (await ask(full, 'POST', '/evaluate', { flagKey: 'by-the-peer' }))?.body.value === true ? true : null,
    )

    execFileSync('mount', ['-o', 'remount,size=32m', dataDir])
    await until('there is room again', async () => {
      const answer = await ask(full, 'PUT', '/flags/after', { key: 'after' })
      return answer?.status === 503 ? null : true
    })
    acknowledged.push('after')
    await until('the peer has it all', async () => {
      const held = await flagKeysOf(peer)
      return acknowledged.every((key) => held.has(key)) ? true : null
    })
    // The first evaluations came before the flag that they ask for.
    const failures = (await load.stop()).failures.filter((failure) => !failure.endsWith('answered 404'))
    expect(failures).toEqual([])
    expect(await full.end('SIGKILL')).toBeNull()
    expect(await peer.end('SIGKILL')).toBeNull()
    const alone = await startNode({ dataDir, cluster: uniqueCluster() })
    const held = await flagKeysOf(alone)
    expect(acknowledged.filter((key) => !held.has(key))).toEqual([])
  },
)
