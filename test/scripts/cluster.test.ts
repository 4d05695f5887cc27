import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, expect, test } from 'vitest'
import { firstTakenPort } from '../../scripts/cluster/free-ports.ts'
import { ClusterDirectory } from '../../scripts/cluster/local-node.ts'

const script = join(import.meta.dirname, '../../scripts/cluster.ts')
const directory = mkdtempSync(join(tmpdir(), 'flags-cluster-'))
const home = new ClusterDirectory(join(directory, 'cluster'))
const basePort = await freePorts(4)

afterAll(async () => {
  await home.stop(home.running())
  rmSync(directory, { recursive: true, force: true })
})

/** The first of `count` ports in a row that are free now. */
async function freePorts(count: number): Promise<number> {
  for (let port = 20_000 + (process.pid % 10_000); port < 60_000; port += count)
    if ((await firstTakenPort('127.0.0.1', port, count)) === null) return port
  throw new Error('no ports are free')
}

function launch(...args: string[]): ChildProcess {
  const env = {
    ...process.env,
    FLAGS_CLUSTER_DIR: home.path,
    FLAGS_BASE_PORT: String(basePort),
    FLAGS_CLUSTER: `cluster-test-${process.pid}`,
  }
  return spawn(process.execPath, [script, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
}

async function run(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = launch(...args)
  const [out, err, [code]] = await Promise.all([
    text(child.stdout as NonNullable<typeof child.stdout>),
    text(child.stderr as NonNullable<typeof child.stderr>),
    once(child, 'exit') as Promise<[number | null]>,
  ])
  return { code, out, err }
}

test('a detached mesh starts, is seen by status and logs, refuses a second one, and stops', async () => {
  const started = await run('3', '--detach')
  expect(started).toMatchObject({ code: 0, err: 'starting 3 nodes ...\n' })
  const lines = started.out.trimEnd().split('\n')
  expect(lines.slice(0, 3)).toEqual([0, 1, 2].map((i) => `node-${i} http://127.0.0.1:${basePort + i}`))
  expect(lines[3]).toMatch(/^mesh of 3 nodes ready in \d+\.\d s$/)
  expect(home.running().map(({ index }) => index)).toEqual([0, 1, 2])
  expect(existsSync(join(home.path, 'node-2/flags.db'))).toBe(true)

  expect((await run('status')).out.match(/ready +sees 3 of 3/g)).toHaveLength(3)
  expect((await run('logs', '1')).out).toMatch(/^node-1 \| \{.*"listening"/m)
  expect((await run('logs', '1')).out).not.toContain('node-0 |')
  expect(await run('logs', '9')).toMatchObject({ code: 2, err: 'There is no log of node-9.\n' })
  expect(await run('3')).toMatchObject({
    code: 1,
    err: expect.stringContaining('3 nodes of this checkout run already'),
  })

  expect(await run('stop')).toEqual({ code: 0, out: 'stopped 3 nodes\n', err: '' })
  expect(home.running()).toEqual([])
  expect((await run('status')).out).toBe('No node of this checkout runs.\n')
})

test('in the foreground the logs are shown, and Ctrl-C stops what was started', async () => {
  const child = launch('2')
  let out = ''
  const ready = new Promise<void>((resolve) => {
    child.stdout?.setEncoding('utf8').on('data', (chunk) => {
      out += chunk
      if (/ready in .*\n/.test(out) && out.includes('node-1 | ')) resolve()
    })
  })
  await Promise.race([ready, once(child, 'exit')])
  expect(home.running()).toHaveLength(2)
  child.kill('SIGINT')
  const [code] = await once(child, 'exit')
  expect(code).toBe(0)
  expect(out).toContain('"stopping"')
  expect(home.running()).toEqual([])
})

test('a port in use is named, and nothing is started', async () => {
  const squatter = createServer()
  squatter.listen(basePort + 1, '127.0.0.1')
  await once(squatter, 'listening')
  const { code, err } = await run('2', '--detach')
  squatter.close()
  expect(code).toBe(1)
  expect(err).toContain(`Port ${basePort + 1} of node-1 is in use`)
  expect(home.running()).toEqual([])
})

test('--fresh forgets what was there, and a document that is not there is told before anything starts', async () => {
  expect(existsSync(join(home.path, 'node-0'))).toBe(true)
  const { code, err } = await run('1', '--detach', '--import', '/nowhere/flags.json')
  expect({ code, err }).toEqual({ code: 1, err: 'There is no file /nowhere/flags.json to import.\n' })
  expect((await run('1', '--detach', '--fresh')).code).toBe(0)
  expect(existsSync(join(home.path, 'node-0'))).toBe(true)
  expect(existsSync(join(home.path, 'node-1'))).toBe(false)
  expect((await run('stop')).out).toBe('stopped 1 nodes\n')
})
