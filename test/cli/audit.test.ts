import { expect, test } from 'vitest'
import { runCli } from '../../src/cli/cli.ts'
import { adminKey, createGuardedTestbed } from '../http/access-keys.ts'
import { recordingTerminal } from './recording-terminal.ts'

/** The command line, talking to the real API over the real catalog. `peers` more nodes are members, each with its own log. */
async function createMeshToAsk(peers = 0) {
  const beds = await Promise.all(Array.from({ length: peers + 1 }, () => createGuardedTestbed()))
  const urls = await Promise.all(beds.map(({ app }) => app.listen({ host: '127.0.0.1', port: 0 })))
  for (const { node } of beds) {
    const known = { state: 'alive' as const, incarnation: 1, root: '', lastSeenMs: 0, behindMs: 0 }
    node.members.push(...urls.map((url, i) => ({ ...known, id: `node-${i}`, address: `127.0.0.1:${i}`, url })))
  }
  const env = { FLAGS_URL: urls[0], FLAGS_API_KEY: adminKey }

  async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
    const { terminal, told } = recordingTerminal()
    const code = await runCli(argv, env, async () => undefined, terminal)
    return { code, ...told }
  }
  return { run, beds, urls }
}

test('audit verify asks every live node, and is content when all logs are whole and the same', async () => {
  const { run, beds, urls } = await createMeshToAsk(1)
  const verified = await run('audit', 'verify')
  expect(verified).toMatchObject({ code: 0, err: '' })
  for (const url of urls) expect(verified.out).toContain(url)
  const answer = JSON.parse((await run('audit', 'verify', '--json')).out)
  expect(answer).toMatchObject({ intact: true, nodes: beds.map((_, i) => ({ id: `node-${i}`, entries: 0 })) })
})

test('audit verify fails when nodes hold different logs', async () => {
  const { run, beds } = await createMeshToAsk(1)
  await beds[1]?.as(adminKey, 'POST', '/flags', { key: 'f' })
  const verified = await run('audit', 'verify')
  expect(verified.code).toBe(1)
  expect(verified.err).toContain('different audit logs')
})

test('audit verify names what was changed in the file of a node', async () => {
  const { run, beds } = await createMeshToAsk()
  const [{ as, replica }] = beds as [(typeof beds)[number]]
  for (const description of ['one', 'two', 'three']) await as(adminKey, 'PUT', '/flags/f', { description })
  const changed = [...replica.records()].filter(({ key }) => key.startsWith('log|'))[1]
  const text = new TextDecoder().decode(changed?.value ?? undefined)
  Object.assign(changed ?? {}, { value: new TextEncoder().encode(text.replace('two', 'six')) })
  const verified = await run('audit', 'verify')
  expect(verified.code).toBe(1)
  expect(verified.err).toMatch(/what came before flag f [0-9a-f]{32} is missing or changed/)
})

test('audit, history and rollback show and undo a change', async () => {
  const { run, beds } = await createMeshToAsk()
  const [{ as }] = beds as [(typeof beds)[number]]
  const first = (await as(adminKey, 'POST', '/flags', { key: 'f', description: 'one' })).json as { version: string }
  await as(adminKey, 'PATCH', '/flags/f', { description: 'two' })
  expect((await run('history', 'f')).out).toContain(first.version)
  const back = await run('rollback', 'f', first.version, '--reason', 'two was wrong')
  expect(back).toMatchObject({ code: 0, err: '' })
  expect((await as(adminKey, 'GET', '/flags/f')).json).toMatchObject({ description: 'one' })
  const audit = await run('audit', '--key', 'f', '--limit', '1')
  expect(audit.out).toContain('two was wrong')
  expect(audit.out.trim().split('\n')).toHaveLength(2)
  expect((await run('rollback', 'f', 'nothing')).code).toBe(1)
})

test('audit lists as many changes as it is asked for, page after page', async () => {
  const { run, beds } = await createMeshToAsk()
  const [{ as }] = beds as [(typeof beds)[number]]
  const flags = Array.from({ length: 450 }, (_, i) => ({ key: `f${i}` }))
  await as(adminKey, 'POST', '/import', { flags })
  const listed = async (limit: string) => JSON.parse((await run('audit', '--limit', limit, '--json')).out).entries
  expect(new Set((await listed('100000')).map(({ key }: { key: string }) => key)).size).toBe(450)
  expect(await listed('201')).toHaveLength(201)
  expect((await run('audit')).out.trim().split('\n')).toHaveLength(101)
  expect(await run('audit', '--limit', 'x')).toMatchObject({ code: 2 })
})

test('a key is made, listed and revoked; its secret alone goes to the output', async () => {
  const { run, beds } = await createMeshToAsk()
  const [{ as }] = beds as [(typeof beds)[number]]
  const made = await run('keys', 'create', 'ci', '--role', 'write', '--namespace', 'a', 'b', '--rate-limit', '5')
  expect(made.code).toBe(0)
  const secret = made.out.trim()
  expect((await as(secret, 'GET', '/flags?namespace=a')).status).toBe(200)
  const [key] = JSON.parse((await run('keys', 'list', '--json')).out).keys
  expect(key).toMatchObject({ name: 'ci', role: 'write', namespaces: ['a', 'b'], rateLimit: 5 })
  expect((await run('keys', 'list')).out).toContain(key.id)
  expect((await run('keys', 'revoke', key.id)).code).toBe(0)
  expect((await as(secret, 'GET', '/flags?namespace=a')).status).toBe(401)
  expect((await run('keys', 'revoke', key.id)).code).toBe(1)
  expect((await run('keys', 'create', 'ci')).code).toBe(2)
  expect((await run('keys', 'create', 'ci', '--role', 'owner')).code).toBe(2)
})
