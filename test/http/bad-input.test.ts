import { expect, test } from 'vitest'
import type { Problem } from '../../src/http/problem.ts'
import { createTestbed } from './testbed.ts'

const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`a${i}`, i]))

/** What it is, the request, the status expected, and the path of the first fault where there is one. */
type Row = readonly [
  what: string,
  method: 'GET' | 'POST' | 'PUT' | 'PATCH',
  url: string,
  body: unknown,
  status: number,
  path?: string,
]

const writes: readonly Row[] = [
  ['JSON that ends early', 'POST', '/flags', '{"key":', 400],
  ['JSON with NaN', 'POST', '/flags', '{"key":"a","variations":{"x":NaN}}', 400],
  ['no body', 'POST', '/flags', '', 400],
  ['a list', 'POST', '/flags', [], 400],
  ['null', 'PUT', '/flags/a', null, 400],
  ['a number as key', 'POST', '/flags', { key: 7 }, 400, 'key'],
  ['no key', 'POST', '/flags', {}, 400, 'key'],
  ['an unknown property', 'POST', '/flags', { key: 'a', enabeld: true }, 400, 'enabeld'],
  [
    'an unknown property deep inside',
    'POST',
    '/flags',
    { key: 'a', fallthrough: { variation: 'on', x: 1 } },
    400,
    'fallthrough.x',
  ],
  ['a control character in the key', 'POST', '/flags', { key: 'a\u0000b' }, 400, 'key'],
  ['a line break in the key', 'POST', '/flags', { key: 'a\n' }, 400, 'key'],
  ['a control character in the path', 'PUT', '/flags/a%00', {}, 400, 'key'],
  ['a key of 129 characters', 'POST', '/flags', { key: 'a'.repeat(129) }, 400, 'key'],
  ['an empty key', 'POST', '/flags', { key: '' }, 400, 'key'],
  ['half a surrogate pair in a text', 'POST', '/flags', '{"key":"a","description":"\\ud800"}', 400, 'description'],
  ['half a surrogate pair in a name', 'POST', '/flags', '{"key":"a","variations":{"\\udc00":1}}', 400],
  ['__proto__ as a property', 'POST', '/flags', '{"key":"a","__proto__":{"enabled":true}}', 400, '__proto__'],
  ['__proto__ as a variation', 'POST', '/flags', '{"key":"a","variations":{"__proto__":1}}', 400],
  ['constructor as a property', 'POST', '/flags', { key: 'a', constructor: { prototype: {} } }, 400, 'constructor'],
  ['a number beyond any double', 'POST', '/flags', '{"key":"a","variations":{"x":1e999}}', 400, 'variations.x'],
  ['100,000 levels of lists', 'POST', '/flags', `{"key":"a","variations":{"x":${deep(100_000)}}}`, 400],
  ['a body of 1 MB', 'POST', '/flags', JSON.stringify({ key: 'a', description: 'x'.repeat(1024 * 1024) }), 413],
  [
    'a flag of more than 64 KiB',
    'POST',
    '/flags',
    { key: 'a', type: 'string', variations: { x: 'y'.repeat(65_536) } },
    422,
  ],
  [
    'a rule that serves a variation that does not exist',
    'POST',
    '/flags',
    { key: 'a', fallthrough: { variation: 'x' } },
    422,
    'fallthrough.variation',
  ],
  ['bytes that are not UTF-8', 'POST', '/flags', Buffer.from([0x22, 0xff, 0x22]), 400],
  ['an unknown query parameter', 'POST', '/flags?namespce=x', { key: 'a' }, 400, 'query.namespce'],
  ['a namespace with a space', 'POST', '/flags?namespace=a%20b', { key: 'a' }, 400, 'query.namespace'],
  ['a namespace given twice', 'POST', '/flags?namespace=a&namespace=b', { key: 'a' }, 400, 'query.namespace'],
  ['a key in the body that the path contradicts', 'PUT', '/flags/a', { key: 'b' }, 400, 'key'],
  ['an import that is a list', 'POST', '/import', [], 400],
  ['an import with an unknown section', 'POST', '/import', { flags: [], users: [] }, 400, 'users'],
  [
    'an import with one bad flag of two',
    'POST',
    '/import',
    { flags: [{ key: 'a' }, { key: 'b', x: 1 }] },
    422,
    'flags[1].x',
  ],
  ['an import of an unknown format', 'POST', '/import?format=yaml', { flags: [] }, 400, 'query.format'],
  ['a segment with an unknown property', 'POST', '/segments', { key: 'a', include: [] }, 400, 'include'],
]

const reads: readonly Row[] = [
  ['a limit that is no number', 'GET', '/flags?limit=many', undefined, 400, 'query.limit'],
  ['a limit of 0', 'GET', '/flags?limit=0', undefined, 400, 'query.limit'],
  ['a path that is not percent-encoded', 'GET', '/flags/%zz', undefined, 400],
  ['a path segment longer than any key', 'GET', `/flags/${'a'.repeat(400)}`, undefined, 400],
  ['a route that does not exist', 'GET', '/flagz', undefined, 404],
  ['user_id given twice', 'GET', '/flags/here/evaluate?user_id=a&user_id=b', undefined, 400, 'query.user_id'],
  ['__proto__ in a context', 'POST', '/evaluate', '{"flagKey":"here","context":{"__proto__":{"a":1}}}', 400],
  ['Infinity in a context', 'POST', '/evaluate', '{"flagKey":"here","context":{"a":-1e999}}', 400],
  [
    'half a surrogate pair in a context',
    'POST',
    '/evaluate',
    '{"flagKey":"here","context":{"targetingKey":"\\ud83d"}}',
    400,
  ],
  ['a list as context', 'POST', '/evaluate', { flagKey: 'here', context: [] }, 400, 'context'],
  [
    'a targeting key that is an object',
    'POST',
    '/evaluate',
    { flagKey: 'here', context: { targetingKey: {} } },
    400,
    'context.targetingKey',
  ],
  ['a context 100 levels deep', 'POST', '/evaluate', `{"flagKey":"here","context":{"a":${deep(95)}}}`, 400, 'context'],
  ['a context with 10,000 attributes', 'POST', '/evaluate', { flagKey: 'here', context: many(10_000) }, 400, 'context'],
  [
    'a context of 1 MB',
    'POST',
    '/evaluate',
    { flagKey: 'here', context: { a: 'x'.repeat(1024 * 1000) } },
    400,
    'context',
  ],
  ['no flag key', 'POST', '/evaluate', { context: {} }, 400, 'flagKey'],
  ['a cast to an unknown type', 'POST', '/evaluate', { flagKey: 'here', as: 'date' }, 400, 'as'],
  ['a batch that is no list', 'POST', '/evaluate/batch', { requests: {} }, 400, 'requests'],
]

async function expectRefused([, method, url, body, status, path]: Row): Promise<void> {
  const { send, catalog } = await createTestbed()
  await send('POST', '/flags', { key: 'here' })
  const root = catalog.root()
  const answer = await send(method, url, body)
  const problem = answer.json as Problem
  expect(answer.status, answer.text).toBe(status)
  expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8')
  const text = expect.any(String)
  expect(problem).toMatchObject({ status, title: text, detail: text, code: text })
  if (path !== undefined) expect(problem.errors?.[0]?.path).toBe(path)
  expect(catalog.root()).toBe(root)
}

for (const row of writes) {
  test(`${row[0]} is refused, and nothing is stored`, () => expectRefused(row))
}

for (const row of reads) {
  test(`${row[0]} is refused`, () => expectRefused(row))
}

test('a body that is not JSON by its type gets 415', async () => {
  const { send } = await createTestbed()
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', 'nonsense']) {
    const answer = await send('POST', '/flags', 'key=a', { 'content-type': type })
    expect(answer.status).toBe(415)
    expect(answer.json).toMatchObject({ code: 'UNSUPPORTED_MEDIA_TYPE' })
  }
})

test('a method that a path does not take gets 405 and what it takes', async () => {
  const { send } = await createTestbed()
  const answer = await send('DELETE', '/api/v1/flags')
  expect(answer.status).toBe(405)
  expect(answer.json).toMatchObject({ code: 'METHOD_NOT_ALLOWED' })
  expect(answer.headers.allow).toBe('GET, HEAD, POST')
})

test('keys that every object inherits are keys like any other', async () => {
  const { send } = await createTestbed()
  for (const key of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    expect((await send('GET', `/flags/${key}`)).status).toBe(404)
    expect((await send('GET', `/flags/${key}/evaluate?namespace=${key}&environment=${key}`)).status).toBe(404)
    expect((await send('PUT', `/flags/${key}?namespace=${key}`, { enabled: true })).status).toBe(201)
    expect((await send('GET', `/flags/${key}/evaluate?namespace=${key}&environment=${key}`)).json).toMatchObject({
      value: true,
    })
    expect((await send('GET', `/flags?namespace=${key}`)).json).toMatchObject({ flags: [{ key }] })
  }
})
