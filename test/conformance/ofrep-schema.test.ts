import { expect, test } from 'vitest'
import { ofrepFlags, writeOfrepFlags } from './ofrep-flags.ts'
import { createOfrepValidator } from './ofrep-schema.ts'
import { startRealNode } from './real-node.ts'

const validate = createOfrepValidator()

async function evaluate(url: string, path: string, body: unknown): Promise<{ status: number; json: unknown }> {
  const payload = typeof body === 'string' ? body : JSON.stringify(body)
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${url}/ofrep/v1/evaluate/flags${path}`, { method: 'POST', headers, body: payload })
  return { status: response.status, json: await response.json() }
}

test('the validator finds what is wrong', () => {
  expect(validate('serverEvaluationSuccess', { key: 'a' })).toContain('reason')
  expect(validate('flagNotFound', { key: 'a', errorCode: 'GENERAL' })).not.toBe('')
})

test('answers about single flags are as openapi.yaml says', async () => {
  const node = await startRealNode()
  await writeOfrepFlags(node)
  const reasons = new Set<unknown>()
  for (const { key } of ofrepFlags) {
    for (const context of [{ targetingKey: 'u' }, { targetingKey: 'u', country: 'DE' }, {}]) {
      const { status, json } = await evaluate(node.url, `/${encodeURIComponent(key)}`, { context })
      expect(validate(status === 200 ? 'serverEvaluationSuccess' : 'evaluationFailure', json)).toBe('')
      reasons.add(status === 200 ? (json as { reason: string }).reason : (json as { errorCode: string }).errorCode)
    }
  }
  expect([...reasons].sort()).toEqual([
    'DEFAULT',
    'DISABLED',
    'SPLIT',
    'STATIC',
    'TARGETING_KEY_MISSING',
    'TARGETING_MATCH',
  ])
})

test('failures are as openapi.yaml says', async () => {
  const node = await startRealNode()
  const unknown = await evaluate(node.url, '/nope', { context: {} })
  expect([unknown.status, validate('flagNotFound', unknown.json)]).toEqual([404, ''])
  for (const body of ['{', { context: 7 }, { context: { targetingKey: {} } }]) {
    const single = await evaluate(node.url, '/nope', body)
    expect([single.status, validate('evaluationFailure', single.json)]).toEqual([400, ''])
    const bulk = await evaluate(node.url, '', body)
    expect([bulk.status, validate('bulkEvaluationFailure', bulk.json)]).toEqual([400, ''])
  }
})

test('bulk answers are as openapi.yaml says', async () => {
  const node = await startRealNode()
  await writeOfrepFlags(node)
  for (const context of [{ targetingKey: 'u', country: 'DE' }, {}]) {
    const { status, json } = await evaluate(node.url, '', { context })
    expect([status, validate('bulkEvaluationSuccess', json)]).toEqual([200, ''])
    expect((json as { flags: object[] }).flags).toHaveLength(ofrepFlags.length)
  }
})
