import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTestbed } from './testbed.ts'

const names = ['a', 'b', 'constructor', '__proto__', 'a/b', '', '%', '\u0000', 'ü', 'x'.repeat(129)]
const word = fc.oneof(fc.constantFrom(...names), fc.string({ unit: 'binary', maxLength: 8 }))
const segment = word.map((text) => encodeURIComponent(text.toWellFormed()))
const property = fc.constantFrom(
  'key',
  'variations',
  'rules',
  'fallthrough',
  'environments',
  'if',
  'all',
  'not',
  'serve',
  'rollout',
  'weights',
)
const other = fc.constantFrom(
  'flagKey',
  'context',
  'requests',
  'default',
  'as',
  'percentage',
  'flags',
  'segments',
  'contexts',
  'flag',
)

/** Bodies that look a little like what the routes take, and ones that do not at all. */
const body = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.jsonValue({ noUnicodeString: false }),
    word,
    fc.constantFrom(true, 'on', 'off', 0, 1e308),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(property, other, word), tie('value'), { maxKeys: 4 }),
  ),
})).value

const path = fc.oneof(
  fc.constantFrom(
    '/flags',
    '/segments',
    '/evaluate',
    '/evaluate/batch',
    '/features',
    '/whatif',
    '/import',
    '/export',
    '/ruleset',
  ),
  fc.constantFrom('/mesh', '/metrics', '/health', '/mesh/bulk', '/ofrep/v1/evaluate/flags', '/nowhere'),
  segment.map((key) => `/flags/${key}`),
  segment.map((key) => `/flags/${key}/evaluate`),
  segment.map((key) => `/flags/${key}/audit`),
  segment.map((key) => `/flags/${key}/rollout`),
  segment.map((key) => `/segments/${key}`),
  segment.map((key) => `/ofrep/v1/evaluate/flags/${key}`),
)
const query = fc.array(
  fc.tuple(
    fc.constantFrom(
      'namespace',
      'environment',
      'limit',
      'cursor',
      'user_id',
      'since',
      'mode',
      'ack',
      '__proto__',
      'a.b',
    ),
    segment,
  ),
  { maxLength: 3 },
)
const request = fc.record({
  method: fc.constantFrom('GET' as const, 'POST' as const, 'PUT' as const, 'PATCH' as const, 'DELETE' as const),
  url: fc.tuple(path, query).map(([route, pairs]) => `${route}?${pairs.map((pair) => pair.join('=')).join('&')}`),
  payload: fc.oneof(
    body.map((value) => JSON.stringify(value) ?? ''),
    fc.string(),
  ),
  type: fc.constantFrom(
    'application/json',
    'application/json',
    'application/merge-patch+json',
    'application/octet-stream',
    'text/plain',
  ),
})

test('whatever is asked, no answer is a mistake of ours, and every refusal is a problem with a code', async () => {
  const { app, send, log } = await createTestbed()
  await send('POST', '/flags', { key: 'a', enabled: true })
  await fc.assert(
    fc.asyncProperty(request, async ({ method, url, payload, type }) => {
      const hasBody = method !== 'GET'
      const headers = hasBody ? { 'content-type': type } : {}
      const answer = await app.inject({ method, url, headers, payload: hasBody ? payload : undefined })
      expect(answer.statusCode, answer.body).toBeLessThan(500)
      if (answer.statusCode < 400) return
      const refusal = answer.json() as { code?: string; errorCode?: string }
      expect(refusal.code ?? refusal.errorCode).toMatch(/^[A-Z_]+$/)
    }),
    { numRuns: 1_500 },
  )
  expect(log.filter((line) => Number(line.level) >= 50)).toEqual([])
})
