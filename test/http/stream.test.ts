import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { App } from '../../src/http/types.ts'
import { createTestbed } from './testbed.ts'

/** A reader of one event stream. */
interface Reader {
  readonly response: IncomingMessage
  /** Resolves with everything read so far once it holds `text`. */
  until(text: string): Promise<string>
}

async function openStream(app: App, path: string, headers: Record<string, string> = {}): Promise<Reader> {
  if (!app.server.listening) await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const [response] = (await once(get({ host: '127.0.0.1', port, path, headers }), 'response')) as [IncomingMessage]
  let text = ''
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  return {
    response,
    async until(wanted) {
      const signal = AbortSignal.timeout(10_000)
      while (!text.includes(wanted)) await once(response, 'data', { signal })
      return text
    },
  }
}

test('a change reaches the streams of its namespace, with the root as id', async () => {
  const { app, catalog, send } = await createTestbed()
  const reader = await openStream(app, '/api/v1/stream')
  expect(reader.response.headers['content-type']).toBe('text/event-stream')
  await send('POST', '/flags?namespace=other', { key: 'elsewhere' })
  const created = await send('POST', '/flags', { key: 'a' })
  const root = catalog.root()
  const { version } = created.json as { version: string }
  const data = JSON.stringify({ flags: { a: version }, segments: {}, root })
  const text = await reader.until(`event: change\nid: ${root}\ndata: ${data}\n\n`)
  expect(text).not.toContain('elsewhere')
  await send('DELETE', '/flags/a')
  await reader.until('{"flags":{"a":null}')
})

test('Last-Event-ID resumes with what was missed, as one change', async () => {
  const { app, catalog, send } = await createTestbed()
  await send('POST', '/flags', { key: 'a' })
  const seen = catalog.root()
  await send('POST', '/flags', { key: 'b' })
  await send('POST', '/segments', { key: 's' })
  await send('DELETE', '/flags/a')
  const text = await (await openStream(app, '/stream', { 'last-event-id': seen })).until('\n\nevent: change\n')
  const data = JSON.parse(/data: (.*)/.exec(text)?.[1] ?? '')
  expect(data).toEqual({
    flags: { a: null, b: expect.any(String) },
    segments: { s: expect.any(String) },
    root: catalog.root(),
  })
})

test('a client whose root is the one in force is sent nothing, one whose root is not known a resync', async () => {
  const { app, catalog, send } = await createTestbed()
  await send('POST', '/flags', { key: 'a' })
  const current = await openStream(app, '/stream', { 'last-event-id': catalog.root() })
  const lost = await openStream(app, '/stream', { 'last-event-id': 'ffffffffffffffff' })
  await lost.until(`event: resync\nid: ${catalog.root()}\n`)
  await send('POST', '/flags', { key: 'b' })
  expect(await current.until('"b"')).not.toContain('resync')
})

test('OpenFeature clients are told to ask again', async () => {
  const { app, catalog, send } = await createTestbed()
  const reader = await openStream(app, '/ofrep/v1/stream?namespace=default&environment=default', {
    origin: 'https://shop.example',
  })
  expect(reader.response.headers['access-control-allow-origin']).toBe('*')
  const before = catalog.root()
  await reader.until(`event: message\nid: ${before}\ndata: {"type":"refetchEvaluation","etag":"${before}"}\n\n`)
  await send('POST', '/flags', { key: 'a' })
  const root = catalog.root()
  await reader.until(`event: message\nid: ${root}\ndata: {"type":"refetchEvaluation","etag":"${root}"}\n\n`)
})

test('closing the app ends the streams, and finishes', async () => {
  const { app } = await createTestbed()
  const reader = await openStream(app, '/stream')
  const ended = once(reader.response, 'end', { signal: AbortSignal.timeout(10_000) })
  await app.close()
  await ended
})

test('a reader that goes away is forgotten', async () => {
  const { app, send, catalog } = await createTestbed()
  let listeners = 0
  const onChange = catalog.onChange
  catalog.onChange = (listener) => {
    listeners++
    const stop = onChange(listener)
    return () => {
      listeners--
      stop()
    }
  }
  const reader = await openStream(app, '/stream')
  expect(listeners).toBe(1)
  reader.response.destroy()
  await expect.poll(() => listeners).toBe(0)
  expect((await send('POST', '/flags', { key: 'a' })).status).toBe(201)
})

test('the ruleset is answered whole, as 304, or as what changed since a root', async () => {
  const { send, catalog } = await createTestbed()
  await send('POST', '/flags', { key: 'a', environments: { qa: { enabled: true } } })
  await send('POST', '/flags', { key: 'b' })
  const seen = catalog.root()
  const whole = await send('GET', '/ruleset?environment=qa')
  expect(whole.headers.etag).toBe(`"${seen}"`)
  expect(whole.json).toMatchObject({
    root: seen,
    flags: [
      { key: 'a', enabled: true },
      { key: 'b', enabled: false },
    ],
    segments: [],
  })
  expect((await send('GET', '/ruleset', undefined, { 'if-none-match': `"${seen}"` })).status).toBe(304)
  await send('DELETE', '/flags/b')
  await send('POST', '/segments', { key: 's' })
  const part = await send('GET', `/ruleset?since=${seen}`)
  expect(part.json).toMatchObject({
    since: seen,
    flags: [],
    segments: [{ key: 's' }],
    removed: { flags: ['b'], segments: [] },
  })
  expect((await send('GET', '/ruleset?since=unheard')).json).not.toHaveProperty('since')
})

test('a ruleset that was asked for before is not served after a change, nor to another scope', async () => {
  const { send } = await createTestbed()
  await send('POST', '/flags', { key: 'a' })
  expect((await send('GET', '/ruleset')).json).toMatchObject({ flags: [{ key: 'a', enabled: false }] })
  await send('PATCH', '/flags/a', { enabled: true })
  expect((await send('GET', '/ruleset')).json).toMatchObject({ flags: [{ key: 'a', enabled: true }] })
  expect((await send('GET', '/ruleset?namespace=other')).json).toMatchObject({ namespace: 'other', flags: [] })
  for (let i = 0; i < 20; i++) await send('GET', `/ruleset?environment=e${i}`)
  expect((await send('GET', '/ruleset?environment=e0')).json).toMatchObject({
    environment: 'e0',
    flags: [{ enabled: true }],
  })
})

test('the ruleset is compressed for those who ask', async () => {
  const { app, send } = await createTestbed()
  for (let i = 0; i < 20; i++) await send('POST', '/flags', { key: `flag-${i}` })
  const plain = await send('GET', '/ruleset')
  const packed = await app.inject({ url: '/ruleset', headers: { 'accept-encoding': 'gzip' } })
  expect(packed.headers['content-encoding']).toBe('gzip')
  expect(JSON.parse(gunzipSync(packed.rawPayload).toString())).toEqual(plain.json)
})
