import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ask, convergence, flagKeysOf, meshOf } from './harness/api.ts'
import { makeDirectory, runMain, startNode, uniqueCluster } from './harness/node-process.ts'
import { until } from './harness/until.ts'

test('a flag deleted while a node is stopped stays deleted when it returns', async () => {
  const cluster = uniqueCluster()
  const directories = [makeDirectory(), makeDirectory()]
  const nodes = await Promise.all(directories.map((dataDir) => startNode({ dataDir, cluster })))
  const [first, second] = nodes as [(typeof nodes)[number], (typeof nodes)[number]]
  expect((await ask(first, 'POST', '/flags', { key: 'doomed' }))?.status).toBe(201)
  expect((await ask(first, 'POST', '/flags', { key: 'kept' }))?.status).toBe(201)
  await until('the second node has both flags', async () => ((await flagKeysOf(second)).size === 2 ? true : null))

  expect(await second.end('SIGTERM')).toBe(0)
  expect((await ask(first, 'DELETE', '/flags/doomed'))?.status).toBe(204)
  const returned = await startNode({ dataDir: directories[1] as string, cluster })
  await convergence([first, returned])
  for (const node of [first, returned]) {
    expect(await flagKeysOf(node)).toEqual(new Set(['kept']))
    expect((await ask(node, 'GET', '/flags/doomed'))?.status).toBe(404)
  }
})

test('a node that is asked to stop says goodbye: its peers know that it left, and its state is there at its return', async () => {
  const cluster = uniqueCluster()
  const dataDir = makeDirectory()
  const stayer = await startNode({ dataDir: makeDirectory(), cluster })
  const leaver = await startNode({ dataDir, cluster })
  await convergence([stayer, leaver])
  const { self } = await meshOf(leaver)
  expect((await ask(leaver, 'POST', '/flags', { key: 'written-by-the-leaver' }))?.status).toBe(201)
  expect(await leaver.end('SIGINT')).toBe(0)
  await until('the peer knows that it left', async () => {
    const { members } = await meshOf(stayer)
    return members.some(({ id, state }) => id === self.id && state === 'alive') ? null : true
  })
  await stayer.end('SIGKILL')
  const returned = await startNode({ dataDir, cluster })
  expect((await meshOf(returned)).self.id).toBe(self.id)
  expect(await flagKeysOf(returned)).toEqual(new Set(['written-by-the-leaver']))
})

test('a second process on the same directory is refused, names the first, and leaves it alone', async () => {
  const cluster = uniqueCluster()
  const dataDir = makeDirectory()
  const owner = await startNode({ dataDir, cluster })
  const { code, err } = await runMain(['--port', '0', '--mesh-port', '0', '--cluster', cluster, '--data-dir', dataDir])
  expect(code).toBe(1)
  expect(err).toContain(`${dataDir} is in use by another process (pid ${owner.pid})`)
  expect((await ask(owner, 'POST', '/flags', { key: 'still-writes' }))?.status).toBe(201)
})

test('a port in use ends the start with exit code 1 and says which', async () => {
  const squatter = createServer()
  onTestFinished(() => void squatter.close())
  squatter.listen(0, '127.0.0.1')
  await once(squatter, 'listening')
  const { port } = squatter.address() as AddressInfo
  const options = ['--port', String(port), '--mesh-port', '0', '--cluster', uniqueCluster(), '--data-dir', ':memory:']
  const { code, err } = await runMain(options)
  expect({ code, err }).toEqual({
    code: 1,
    err: `127.0.0.1:${port} is in use: stop what listens there, or choose another --port.\n`,
  })
})

test('bad usage ends with exit code 2 before anything is made', async () => {
  expect(await runMain(['--prot', '1'])).toEqual({ code: 2, out: '', err: 'There is no option --prot; see --help.\n' })
  expect(await runMain(['--port', '70000'])).toMatchObject({ code: 2, err: expect.stringContaining('--port') })
  const exposed = await runMain(['--host', '0.0.0.0'])
  expect(exposed.code).toBe(2)
  expect(exposed.err).toMatch(/keygen mesh.*keygen api.*--insecure/)
})

test('a node without a directory keeps nothing and gets everything from its peers', async () => {
  const cluster = uniqueCluster()
  const keeper = await startNode({ dataDir: makeDirectory(), cluster })
  expect((await ask(keeper, 'POST', '/flags', { key: 'kept' }))?.status).toBe(201)
  for (let round = 0; round < 2; round++) {
    const forgetful = await startNode({ dataDir: ':memory:', cluster })
    await convergence([keeper, forgetful])
    expect(await flagKeysOf(forgetful)).toEqual(new Set(['kept']))
    expect(await forgetful.end('SIGTERM')).toBe(0)
  }
})

test('a node whose database is broken says so, moves it aside, and is filled by its peers under a new identity', async () => {
  const cluster = uniqueCluster()
  const dataDir = makeDirectory()
  const keeper = await startNode({ dataDir: makeDirectory(), cluster })
  const broken = await startNode({ dataDir, cluster })
  await convergence([keeper, broken])
  const { self } = await meshOf(broken)
  for (let i = 0; i < 20; i++)
    expect((await ask(broken, 'POST', '/flags', { key: `flag-${i}`, description: 'x'.repeat(2_000) }))?.status).toBe(
      201,
    )
  await convergence([keeper, broken])
  expect(await broken.end('SIGTERM')).toBe(0)

  const path = join(dataDir, 'flags.db')
  const content = readFileSync(path)
  writeFileSync(path, content.fill(0xa5, content.length / 2))
  const refilled = await startNode({ dataDir, cluster })
  await convergence([keeper, refilled])
  expect((await meshOf(refilled)).self.id).not.toBe(self.id)
  expect(await flagKeysOf(refilled)).toEqual(await flagKeysOf(keeper))
  expect((await flagKeysOf(refilled)).size).toBe(20)
  expect(JSON.stringify(refilled.log)).toContain('flags.db.corrupt-')
  expect(readdirSync(dataDir).some((name) => name.startsWith('flags.db.corrupt-'))).toBe(true)
})
