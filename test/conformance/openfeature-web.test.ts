import { fork } from 'node:child_process'
import { once } from 'node:events'
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider'
import { type EvaluationContext, OpenFeature } from '@openfeature/web-sdk'
import { afterEach, expect, test } from 'vitest'
import { writeOfrepFlags } from './ofrep-flags.ts'
import { type RealNode, startRealNode } from './real-node.ts'

afterEach(() => OpenFeature.clearProviders())

/** Notes the status of every answer that the provider gets. */
function observedFetch(statuses: number[]): typeof fetch {
  return async (...request) => {
    const response = await fetch(...request)
    statuses.push(response.status)
    return response
  }
}

async function connect(context: EvaluationContext): Promise<{ node: RealNode; statuses: number[] }> {
  const node = await startRealNode()
  await writeOfrepFlags(node)
  const statuses: number[] = []
  const provider = new OFREPWebProvider({
    baseUrl: node.url,
    cacheMode: 'disabled',
    fetchImplementation: observedFetch(statuses),
  })
  await OpenFeature.setProviderAndWait(provider, { ...context })
  return { node, statuses }
}

test('the web SDK evaluates from what one request brought', async () => {
  const { statuses } = await connect({ targetingKey: 'u', country: 'DE' })
  const client = OpenFeature.getClient()
  expect(client.getBooleanDetails('shop/ruled', false)).toMatchObject({
    value: true,
    variant: 'on',
    reason: 'TARGETING_MATCH',
  })
  expect(client.getStringValue('text', 'no')).toBe('hello')
  expect(client.getObjectValue('object', {})).toEqual({ a: [1, { b: null }] })
  expect(client.getStringDetails('valueless', 'mine')).toMatchObject({ value: 'mine', reason: 'DISABLED' })
  expect(client.getBooleanDetails('nope', true)).toMatchObject({ value: true, errorCode: 'FLAG_NOT_FOUND' })
  expect(statuses).toEqual([200])
})

test('a context change without a new targeting key is answered anew, an unchanged context by 304', async () => {
  const { statuses } = await connect({ targetingKey: 'u', country: 'FR' })
  const client = OpenFeature.getClient()
  expect(client.getBooleanValue('shop/ruled', true)).toBe(false)
  await OpenFeature.setContext({ targetingKey: 'u', country: 'DE' })
  expect(client.getBooleanValue('shop/ruled', false)).toBe(true)
  await OpenFeature.setContext({ country: 'DE', targetingKey: 'u' })
  expect(statuses).toEqual([200, 200, 304])
})

test('a context without a targeting key is served, but for the flags that need one', async () => {
  await connect({})
  const client = OpenFeature.getClient()
  expect(client.getBooleanValue('static', false)).toBe(true)
  expect(client.getBooleanDetails('split', true)).toMatchObject({ value: true, errorCode: 'TARGETING_KEY_MISSING' })
})

test('a change reaches the web SDK through its event stream', async () => {
  const node = await startRealNode()
  await writeOfrepFlags(node)
  // The provider wants the EventSource of browsers; Node has one behind this option.
  const client = fork(new URL('web-client.ts', import.meta.url), [node.url], {
    execArgv: ['--experimental-eventsource'],
  })
  const signal = AbortSignal.timeout(20_000)
  try {
    expect(await once(client, 'message', { signal })).toEqual([{ text: 'hello' }, undefined])
    await node.call('PATCH', '/flags/text', { fallthrough: { variation: 'y' } })
    expect(await once(client, 'message', { signal })).toEqual([{ text: 'world' }, undefined])
  } finally {
    client.kill()
  }
})
