import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { FlagsError } from '../../src/base/errors.ts'
import { runCli } from '../../src/cli/cli.ts'
import { type Config, readConfig } from '../../src/config.ts'
import { startFakeNode } from './fake-node.ts'
import { recordingTerminal } from './recording-terminal.ts'

interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
  readonly served: readonly Config[]
}

async function run(argv: readonly string[], env: NodeJS.ProcessEnv = {}, serveFailure?: Error): Promise<Outcome> {
  const served: Config[] = []
  const { terminal, told } = recordingTerminal()
  const serve = async (config: Config) => {
    if (serveFailure !== undefined) throw serveFailure
    served.push(config)
  }
  const code = await runCli(argv, env, serve, terminal)
  return { code, ...told, served }
}

function makeFile(content: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'flags-cli-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'document.json')
  writeFileSync(path, content)
  return path
}

const importReport = {
  flags: { created: 2, updated: 1, unchanged: 0, deleted: 0 },
  segments: { created: 0, updated: 0, unchanged: 3, deleted: 0 },
}

test.each([[[]], [['serve']]])('%j serves with the defaults', async (argv) => {
  expect(await run(argv)).toEqual({ code: 0, out: '', err: '', served: [readConfig([], {})] })
})

test('options alone serve, with variables read', async () => {
  const { served } = await run(['--port', '9001'], { FLAGS_CLUSTER: 'blue' })
  expect(served).toMatchObject([{ port: 9001, cluster: 'blue' }])
})

test.each([
  [['--prot', '1'], 'There is no option --prot; see --help.\n'],
  [['serve', '--port', 'x'], "--port must be a whole number from 0 to 65535, not 'x'.\n"],
  [['bogus'], "Unknown command 'bogus'; see --help.\n"],
  [['members', '--bogus'], "Unknown option '--bogus'; see --help.\n"],
  [['import'], "Missing required argument 'file'; see --help.\n"],
  [['import', 'f', '--mode', 'x'], /argument 'x' is invalid. Allowed choices are merge, replace; see --help.\n$/],
  [['eval', 'k', '--context', '[1]'], '--context must be a JSON object like {"targetingKey":"user-1"}, not [1].\n'],
  [['keygen', 'toString'], 'keygen makes a key of kind mesh or api, not toString.\n'],
])('%j is bad usage: exit code 2, and one sentence', async (argv, complaint) => {
  const { code, out, err, served } = await run(argv)
  expect(err).toMatch(complaint)
  expect({ code, out, served }).toEqual({ code: 2, out: '', served: [] })
})

test.each([
  [['--help'], '--mesh-port PORT'],
  [['serve', '--help'], '--mesh-port PORT'],
  [['help'], '--mesh-port PORT'],
  [['import', '--help'], '--mode <mode>'],
  [['export', '--help'], '--namespace <name>'],
  [['eval', '--help'], '--context <json>'],
  [['members', '--help'], '--json'],
  [['keygen', '--help'], '--admin-key'],
])('%j prints a page of help and does nothing else', async (argv, words) => {
  const { code, out, err, served } = await run(argv)
  expect(out).toContain(words)
  expect({ code, err, served }).toEqual({ code: 0, err: '', served: [] })
})

test.each([
  [new FlagsError('STORAGE_UNAVAILABLE', 'The data directory is in use.'), 'The data directory is in use.\n'],
  [
    Object.assign(new Error('listen'), { code: 'EADDRINUSE', address: '127.0.0.1', port: 8080 }),
    '127.0.0.1:8080 is in use: stop what listens there, or choose another --port.\n',
  ],
])('a node that cannot start is told in one sentence, with exit code 1', async (failure, sentence) => {
  expect(await run(['serve'], {}, failure)).toEqual({ code: 1, out: '', err: sentence, served: [] })
})

test('import sends the document with its mode, format, namespace and key, and prints what came of it', async () => {
  const node = await startFakeNode(200, importReport)
  const document = JSON.stringify({ flags: [{ key: 'a' }], segments: [] })
  const env = { FLAGS_URL: `${node.url}/`, FLAGS_API_KEY: 'secret-key' }
  const argv = ['import', makeFile(document), '--mode', 'replace', '--format', 'flagd', '--namespace', 'shop']
  const { code, out, err } = await run(argv, env)
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out.split('\n')[1]).toMatch(/^flags +2 +1 +0 +0$/)
  expect(node.heard).toEqual([
    {
      method: 'POST',
      url: '/api/v1/import?mode=replace&format=flagd&namespace=shop',
      apiKey: 'secret-key',
      body: document,
    },
  ])
  expect(JSON.parse((await run([...argv, '--json'], env)).out)).toEqual(importReport)
})

test('a large import arrives whole', async () => {
  const node = await startFakeNode(200, importReport)
  const document = JSON.stringify({ flags: [{ key: 'a', description: 'é'.repeat(1_000_000) }] })
  expect((await run(['import', makeFile(document)], { FLAGS_URL: node.url })).code).toBe(0)
  expect(node.heard[0]?.body).toBe(document)
})

test('a refused import tells the detail and each fault with its path, and fails', async () => {
  const errors = [{ path: 'flags[3].rules[0].serve.variation', message: 'is no variation of the flag' }]
  const node = await startFakeNode(422, { status: 422, title: 't', detail: 'One flag makes no sense.', errors })
  expect(await run(['import', makeFile('{}')], { FLAGS_URL: node.url })).toMatchObject({
    code: 1,
    out: '',
    err: 'One flag makes no sense.\n  flags[3].rules[0].serve.variation: is no variation of the flag\n',
  })
})

test('what is no JSON or not there is not sent', async () => {
  const node = await startFakeNode(200, importReport)
  const env = { FLAGS_URL: node.url }
  const path = makeFile('{"flags": [')
  expect(await run(['import', path], env)).toMatchObject({ code: 1, err: expect.stringContaining('is not JSON') })
  expect(await run(['import', `${path}.no`], env)).toMatchObject({
    code: 1,
    err: expect.stringContaining('cannot be read'),
  })
  expect(node.heard).toEqual([])
})

test('export writes to standard output, or to a file', async () => {
  const document = { flags: [{ key: 'a' }], segments: [] }
  const node = await startFakeNode(200, document)
  const env = { FLAGS_URL: node.url }
  expect(JSON.parse((await run(['export'], env)).out)).toEqual(document)
  const path = makeFile('')
  const { code, out, err } = await run(['export', path, '--namespace', 'shop'], env)
  expect({ code, out }).toEqual({ code: 0, out: '' })
  expect(err).toBe(`Wrote 1 flags and 0 segments to ${path}.\n`)
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(document)
  expect(node.heard.map(({ url }) => url)).toEqual(['/api/v1/export', '/api/v1/export?namespace=shop'])
})

test('eval asks for a context and shows the answer', async () => {
  const answer = { key: 'a', value: { size: 3 }, variation: 'big', reason: 'SPLIT', version: '1' }
  const node = await startFakeNode(200, answer)
  const env = { FLAGS_URL: node.url }
  const argv = ['eval', 'a', '--context', '{"targetingKey":"u"}', '--environment', 'qa']
  expect((await run(argv, env)).out).toMatch(/^value +\{"size":3\}$/m)
  expect(JSON.parse((await run([...argv, '--json'], env)).out)).toEqual(answer)
  expect(node.heard[0]?.url).toBe('/api/v1/evaluate?environment=qa')
  expect(JSON.parse(node.heard[0]?.body ?? '')).toEqual({ flagKey: 'a', context: { targetingKey: 'u' } })
})

test('members lists this node and its peers, and whether they hold the same ruleset', async () => {
  const peer = {
    address: '127.0.0.1:2',
    url: 'http://127.0.0.1:8081',
    state: 'alive',
    incarnation: 1,
    lastSeenMs: 1200,
  }
  const node = await startFakeNode(200, {
    self: { id: 'aaaa', address: '127.0.0.1:1', url: 'http://127.0.0.1:8080' },
    members: [
      { ...peer, id: 'bbbb', root: 'f00d' },
      { ...peer, id: 'cccc', root: 'beef', state: 'dead', lastSeenMs: null },
    ],
    ruleset: { root: 'f00d' },
  })
  const { out } = await run(['members'], { FLAGS_URL: node.url })
  const [heading, self, ...peers] = out.trimEnd().split('\n')
  expect(heading).toMatch(/^NODE +ADDRESS +URL +STATE +RULESET +LAST SEEN$/)
  expect(self).toMatch(/^aaaa .* self +f00d$/)
  expect(peers[0]).toMatch(/^bbbb .* alive +the same +1\.2 s ago$/)
  expect(peers[1]).toMatch(/^cccc .* dead +beef +never$/)
})

test('a node that does not answer, or is none, is told with what to do', async () => {
  const { code, err } = await run(['members'], { FLAGS_URL: 'http://127.0.0.1:1' })
  expect(code).toBe(1)
  expect(err).toMatch(/^No node answers at http:\/\/127\.0\.0\.1:1 .*start one with npm start, or set FLAGS_URL/)
  const page = await startFakeNode(200, '<html>')
  expect((await run(['members'], { FLAGS_URL: page.url })).err).toContain('set FLAGS_URL to a Flags node')
  const locked = await startFakeNode(401, { detail: 'There is no valid API key.' })
  expect((await run(['members'], { FLAGS_URL: locked.url })).err).toBe(
    'There is no valid API key. Set FLAGS_API_KEY.\n',
  )
  expect(await run(['members'], { FLAGS_URL: 'localhost' })).toMatchObject({
    code: 1,
    err: expect.stringContaining('FLAGS_URL'),
  })
})

test('keygen makes keys that the settings take, each time another', async () => {
  const mesh = (await run(['keygen', 'mesh'])).out.trim()
  const api = (await run(['keygen', 'api'])).out.trim()
  expect(readConfig(['--mesh-key', mesh, '--admin-key', api], {})).toMatchObject({ adminKey: api })
  expect((await run(['keygen', 'mesh'])).out.trim()).not.toBe(mesh)
  expect(JSON.parse((await run(['keygen', 'api', '--json'])).out)).toEqual({
    kind: 'api',
    key: expect.stringMatching(/^flags_.{43}$/),
  })
})
