import { expect, test } from 'vitest'
import { accessTable } from '../../src/http/access/table.ts'
import { adminKey, createGuardedTestbed } from './access-keys.ts'
import { type DocumentedOperation, readOpenApi } from './openapi-document.ts'
import { type Answer, createTestbed } from './testbed.ts'

interface Call {
  readonly query?: string
  readonly key?: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
  /** Success when not given. */
  readonly status?: number
}

const flag = {
  key: 'f',
  description: 'A flag',
  tags: ['a'],
  owner: 'team',
  enabled: true,
  variations: { on: { deep: [1, null] }, off: 'text' },
  type: 'json',
  offVariation: 'off',
  overrides: { group: { g1: 'off' } },
  rules: [
    {
      id: 'r',
      if: { all: [{ attribute: 'country', op: 'in', values: ['DE'] }, { not: { segment: 's' } }] },
      serve: { rollout: { weights: [{ variation: 'on', weight: 10_000 }] } },
    },
  ],
  fallthrough: { variation: 'on' },
  environments: { qa: { enabled: false } },
}
const ofrep = { context: { targetingKey: 'u' } }

/** What is sent to each operation, in this order, with `f` or `s` as the key. `VERSION` stands for the newest version of `f`. */
const calls: readonly (readonly [operation: string, ...calls: Call[]])[] = [
  ['POST /segments', { body: { key: 's', included: ['u1'], if: { attribute: 'a', op: 'exists' } } }],
  ['PUT /segments/{key}', { key: 's', body: { excluded: ['u2'] } }, { key: 't', body: {} }],
  ['PATCH /segments/{key}', { key: 's', body: { description: 'x' } }, { key: 's', body: [], status: 400 }],
  ['GET /segments', {}, { query: 'limit=0', status: 400 }],
  ['GET /segments/{key}', { key: 's' }, { key: 'none', status: 404 }],
  ['POST /flags', { body: flag }, { body: flag, status: 409 }, { body: '{', status: 400 }, { body: {}, status: 400 }],
  [
    'PUT /flags/{key}',
    { body: flag },
    { key: 'g', body: {} },
    { body: { fallthrough: { variation: 'x' } }, status: 422 },
  ],
  ['PATCH /flags/{key}', { body: { description: null } }, { body: {}, headers: { 'if-match': '"0"' }, status: 412 }],
  ['POST /flags/{key}/rollout', { key: 'g', body: { percentage: 12.5 } }, { body: { percentage: 'x' }, status: 400 }],
  ['GET /flags', {}, { query: 'environment=qa&limit=1' }, { query: 'unknown=1', status: 400 }],
  ['GET /flags/{key}', {}, { query: 'environment=qa' }, { headers: { 'if-none-match': '*' }, status: 304 }],
  [
    'GET /flags/{key}/evaluate',
    { query: 'user_id=u&country=DE' },
    { key: 'none', query: 'default=1' },
    { key: 'none', status: 404 },
  ],
  ['GET /flags/{key}/audit', { query: 'user_id=u&country=DE' }, { key: 'none', status: 404 }],
  [
    'POST /evaluate',
    { body: { flagKey: 'f', context: { targetingKey: 'u' } }, query: 'explain=true' },
    { body: { flagKey: 'f', as: 'number' } },
  ],
  ['POST /evaluate/batch', { body: { requests: [{ flagKey: 'f' }, { flagKey: 'none' }, 'x'] } }],
  ['GET /features', { query: 'user=u' }],
  [
    'POST /whatif',
    { body: { flag: { key: 'f' }, contexts: [{ targetingKey: 'u' }] } },
    { body: { flag: {}, contexts: [] }, status: 400 },
  ],
  ['GET /ruleset', { query: 'environment=qa' }, { headers: { 'if-none-match': '*' }, status: 304 }],
  [
    'POST /ofrep/v1/evaluate/flags',
    { body: ofrep },
    { body: { context: 1 }, status: 400 },
    { body: ofrep, headers: { 'if-none-match': '*' }, status: 304 },
  ],
  [
    'POST /ofrep/v1/evaluate/flags/{key}',
    { body: ofrep },
    { key: 'none', body: ofrep, status: 404 },
    { body: [], status: 400 },
  ],
  [
    'POST /import',
    {
      query: 'mode=merge',
      body: {
        flags: [
          { key: 'i' },
          {
            key: 'j',
            prerequisites: [{ flag: 'i', variations: ['on'] }],
            rules: [{ if: { segment: 's' }, serve: { variation: 'on' } }],
          },
        ],
      },
    },
    { body: { flags: 1 }, status: 400 },
    { body: { flags: [{}] }, status: 422 },
  ],
  ['GET /export', {}],
  [
    'POST /keys',
    { body: { name: 'k', role: 'read', expiresAt: '2099-01-01T00:00:00Z' } },
    { body: {}, status: 400 },
    { body: { name: 'k', role: 'read', expiresAt: '2001-01-01T00:00:00Z' }, status: 422 },
  ],
  ['GET /keys', {}],
  ['DELETE /keys/{id}', { key: 'none', status: 404 }, { key: 'KEY' }],
  ['GET /flags/{key}/history', {}, { key: 'none', status: 404 }],
  ['GET /flags/{key}/history/{version}', {}],
  ['POST /flags/{key}/rollback', { body: { version: 'VERSION' } }, { body: { version: 'x' }, status: 404 }],
  ['GET /segments/{key}/history', { key: 's' }],
  ['GET /segments/{key}/history/{version}', { key: 's' }],
  ['POST /segments/{key}/rollback', { key: 's', body: { version: 'VERSION' } }, { key: 's', body: {}, status: 400 }],
  [
    'DELETE /flags/{key}',
    { key: 'i', status: 422 },
    { headers: { 'if-match': '"0"' }, status: 412 },
    {},
    { status: 404 },
  ],
  [
    'DELETE /segments/{key}',
    { key: 's', status: 422 },
    { key: 't', headers: { 'if-match': '"0"' }, status: 412 },
    { key: 't' },
    { key: 't', status: 404 },
  ],
  ['GET /audit', {}, { query: 'limit=1' }],
  ['GET /audit/verify', {}],
  ['GET /reports/diff', { query: 'environments=qa,production' }, { status: 400 }],
  ['GET /reports/changes', { query: 'since=2020-01-01T00:00:00Z' }, { status: 400 }],
  ['GET /mesh', {}],
  [
    'POST /mesh/bulk',
    { body: Buffer.from([0xf1]), headers: { 'content-type': 'application/octet-stream' } },
    { body: '{}', status: 415 },
  ],
  ['GET /metrics', {}],
  ['GET /health', {}],
  ['GET /health/live', {}],
  ['GET /health/ready', {}],
  ['GET /openapi.json', {}],
  ['GET /docs', {}],
  ['GET /docs/{asset}', { key: 'swagger-ui-bundle.js' }, { key: 'none', status: 404 }],
]

const streams = ['GET /stream', 'GET /ofrep/v1/stream']

test('every route answers as the document says, and the document describes every route', async () => {
  const { as } = await createGuardedTestbed()
  const api = readOpenApi((await as(adminKey, 'GET', '/openapi.json')).text)
  const byName = new Map(api.operations.map((operation) => [operation.name, operation]))
  const described = Object.keys(accessTable).map((name) => name.replaceAll(/:(\w+)/g, '{$1}'))
  expect([...byName.keys()].sort()).toEqual(described.sort())
  expect([...calls.map(([name]) => name), ...streams].sort()).toEqual(described.sort())

  for (const [name, ...sent] of calls) {
    const operation = byName.get(name) as DocumentedOperation
    for (const call of sent) {
      const answer = await perform(operation, call)
      const type = String(answer.headers['content-type'] ?? '')
      const wanted = (status: number) => (call.status === undefined ? status < 300 : status === call.status)
      expect([name, call, wanted(answer.status) || `${answer.status} ${answer.text}`]).toEqual([name, call, true])
      expect([name, call, api.faultOf(operation, answer.status, type, answer.text)]).toEqual([name, call, ''])
    }
  }

  async function perform({ method, path }: DocumentedOperation, call: Call): Promise<Answer> {
    const { key = 'f', body, headers, query = '' } = call
    const shelf = path.startsWith('/segments') ? 'segments' : 'flags'
    const history = async () => {
      const answer = await as(adminKey, 'GET', `/${shelf}/${key}/history`)
      return (answer.json as { versions: { version: string }[] }).versions.at(-1)?.version as string
    }
    const keyId = async () =>
      ((await as(adminKey, 'GET', '/keys')).json as { keys: { id: string }[] }).keys[0]?.id as string
    const filled = path
      .replace('{version}', path.includes('{version}') ? await history() : '')
      .replace(/\{\w+\}/, key === 'KEY' ? await keyId() : encodeURIComponent(key))
    const wantsVersion = (body as { version?: string } | undefined)?.version === 'VERSION'
    const sent = wantsVersion ? { version: await history() } : body
    return as(adminKey, method, `/api/v1${filled}?${query}`, sent, headers)
  }
})

test('the document is OpenAPI 3.1, and all that it refers to is there', async () => {
  const { send } = await createTestbed()
  const { text, json, headers } = await send('GET', '/api/v1/openapi.json')
  expect(headers['content-type']).toContain('application/json')
  expect(json).toMatchObject({ openapi: '3.1.0', info: { title: 'Flags' }, servers: [{ url: '/api/v1' }] })
  const api = readOpenApi(text)
  const ids = (json as { paths: Record<string, Record<string, { operationId: string }>> }).paths
  const operationIds = Object.values(ids).flatMap((methods) => Object.values(methods).map((one) => one.operationId))
  expect(new Set(operationIds).size).toBe(api.operations.length)
  for (const [, $ref] of text.matchAll(/"\$ref":"([^"]+)"/g)) expect(() => api.resolve({ $ref })).not.toThrow()
})

test('the documentation is a page that takes everything from this node', async () => {
  const { send } = await createTestbed()
  const page = await send('GET', '/docs')
  expect(page.headers['content-type']).toContain('text/html')
  expect(page.headers['content-security-policy']).toContain("default-src 'none'")
  expect(page.text).not.toMatch(/https?:/)
  const files = [...page.text.matchAll(/(?:src|href)="([^"/]+)"/g)].map(([, file]) => file)
  expect(files.length).toBeGreaterThan(2)
  for (const file of files) expect((await send('GET', `/docs/${file}`)).status).toBe(200)
  for (const stranger of ['package.json', '..%2f..%2fpackage.json', 'index.html', '__proto__']) {
    expect((await send('GET', `/docs/${stranger}`)).status).toBe(404)
  }
})
