import { type EvaluationRequest, handleEvaluationError, OFREPApi, toResolutionDetails } from '@openfeature/ofrep-core'
import { type EvaluationContext, OpenFeature, type Provider, type ResolutionDetails } from '@openfeature/server-sdk'
import { afterEach, expect, test } from 'vitest'
import { writeOfrepFlags } from './ofrep-flags.ts'
import { startRealNode } from './real-node.ts'

/** What the OFREP provider for servers does, on the protocol's own client: the published one is older than value-less answers. */
function ofrepProvider(baseUrl: string, headers: [string, string][] = []): Provider {
  const api = new OFREPApi({ baseUrl, headers })
  async function resolve<T>(
    flagKey: string,
    defaultValue: T,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<T>> {
    const { value, httpStatus } = await api.postEvaluateFlag(flagKey, { context } as EvaluationRequest)
    const details =
      httpStatus === 200
        ? toResolutionDetails(value as never, defaultValue as never)
        : handleEvaluationError(value as never, defaultValue as never)
    return details as ResolutionDetails<T>
  }
  return {
    metadata: { name: 'ofrep' },
    resolveBooleanEvaluation: resolve,
    resolveStringEvaluation: resolve,
    resolveNumberEvaluation: resolve,
    resolveObjectEvaluation: resolve,
  }
}

afterEach(() => OpenFeature.clearProviders())

async function connect(headers?: [string, string][]) {
  const node = await startRealNode()
  await writeOfrepFlags(node)
  await OpenFeature.setProviderAndWait(ofrepProvider(node.url, headers))
  return { node, client: OpenFeature.getClient() }
}

test('the server SDK gets values of every type', async () => {
  const { client } = await connect()
  const context = { targetingKey: 'u', country: 'DE' }
  expect(await client.getBooleanValue('static', false, context)).toBe(true)
  expect(await client.getStringValue('text', 'no', context)).toBe('hello')
  expect(await client.getNumberValue('whole', 0, context)).toBe(7)
  expect(await client.getNumberValue('fraction', 0, context)).toBe(0.5)
  expect(await client.getObjectValue('object', {}, context)).toEqual({ a: [1, { b: null }] })
})

test('the server SDK gets reason, variant and metadata, for a key with a slash too', async () => {
  const { client } = await connect()
  const details = await client.getBooleanDetails('shop/ruled', false, { country: 'DE' })
  const flagMetadata = { version: expect.any(String), ruleId: 'de' }
  expect(details).toMatchObject({ value: true, variant: 'on', reason: 'TARGETING_MATCH', flagMetadata })
  expect(await client.getBooleanDetails('shop/ruled', true, {})).toMatchObject({ value: false, reason: 'DEFAULT' })
})

test('the server SDK falls back to the code default where there is no value, no flag, no subject or another type', async () => {
  const { client } = await connect()
  expect(await client.getStringDetails('valueless', 'mine', {})).toMatchObject({ value: 'mine', reason: 'DISABLED' })
  expect(await client.getBooleanDetails('nope', true, {})).toMatchObject({ value: true, errorCode: 'FLAG_NOT_FOUND' })
  expect(await client.getBooleanDetails('split', true, {})).toMatchObject({
    value: true,
    errorCode: 'TARGETING_KEY_MISSING',
  })
  expect(await client.getStringDetails('static', 'mine', {})).toMatchObject({
    value: 'mine',
    errorCode: 'TYPE_MISMATCH',
  })
})

test('the server SDK chooses namespace and environment by headers', async () => {
  const { node, client } = await connect([
    ['Flags-Namespace', 'shop'],
    ['Flags-Environment', 'qa'],
  ])
  expect(await client.getBooleanDetails('static', false, {})).toMatchObject({ errorCode: 'FLAG_NOT_FOUND' })
  await node.call('POST', '/flags?namespace=shop', { key: 'only-qa', environments: { qa: { enabled: true } } })
  expect(await client.getBooleanValue('only-qa', false, {})).toBe(true)
})
