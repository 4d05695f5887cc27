import { expect, test } from 'vitest'
import { FlagsError } from '../../src/base/errors.ts'
import { createTestbed } from './testbed.ts'

test('a node that is not ready says why, and lives', async () => {
  const { send, node } = await createTestbed()
  expect((await send('GET', '/health/ready')).json).toEqual({ status: 'ok' })
  node.ready = 'Discovery has not had its chance yet.'
  for (const url of ['/health/ready', '/health', '/api/v1/health']) {
    const answer = await send('GET', url)
    expect(answer.status).toBe(503)
    expect(answer.headers['retry-after']).toBe('1')
    expect(answer.json).toMatchObject({ code: 'NOT_READY', detail: node.ready })
  }
  expect((await send('GET', '/health/live')).status).toBe(200)
})

test('a node that cannot store writes stays ready to evaluate, and health says what fails', async () => {
  const { send, node } = await createTestbed()
  node.storage = 'The disk is full.'
  expect((await send('GET', '/health/ready')).status).toBe(200)
  const health = await send('GET', '/health')
  expect(health.status).toBe(503)
  expect(health.json).toMatchObject({ code: 'STORAGE_UNAVAILABLE', detail: 'The disk is full.' })
})

test('the mesh view shows members, ruleset and conflicts', async () => {
  const { send, node, catalog } = await createTestbed()
  const member = {
    id: '01',
    address: '127.0.0.1:2',
    url: 'http://127.0.0.1:3',
    state: 'alive' as const,
    incarnation: 5,
    root: 'ab',
    lastSeenMs: 12,
    behindMs: 0,
  }
  node.members.push(member)
  await send('POST', '/flags', { key: 'a' })
  await send('POST', '/segments', { key: 's' })
  expect((await send('GET', '/mesh')).json).toEqual({
    self: { id: '00000000000000bb', address: '127.0.0.1:7946', url: 'http://127.0.0.1:8080' },
    members: [member],
    ruleset: { root: catalog.root(), flags: 1, segments: 1, faults: 0, tombstones: 0 },
    conflicts: 3,
    isolated: false,
  })
})

test('metrics tell what the node counts, and evaluations by reason', async () => {
  const { send, node } = await createTestbed()
  await send('POST', '/flags', { key: 'a', enabled: true })
  await send('GET', '/flags/a/evaluate')
  await send('POST', '/evaluate', { flagKey: 'a' })
  node.storage = 'The disk is full.'
  const { text, headers } = await send('GET', '/metrics')
  expect(headers['content-type']).toContain('text/plain')
  expect(text).toContain('flags_evaluations_total{reason="STATIC"} 2')
  expect(text).toContain('flags_ruleset_flags 1')
  expect(text).toContain('flags_storage_failing 1')
  expect(text).toContain('flags_packets_received_total 7')
  expect(text).toContain('flags_http_request_seconds_count{method="POST",route="/flags",status="201"} 1')
  expect((await send('GET', '/metrics')).text).toContain('flags_packets_received_total 7')
})

test('frames of this mesh are taken, anything else on the bulk route is dropped', async () => {
  const { send, frames } = await createTestbed()
  const type = { 'content-type': 'application/octet-stream' }
  const frame = Buffer.from([0xf1, 1, 2, 3])
  expect((await send('POST', '/mesh/bulk', frame, type)).status).toBe(204)
  expect(frames).toEqual([frame])
  for (const bad of [Buffer.from([1, 2, 3]), Buffer.alloc(0), Buffer.alloc(100_000, 0xff)]) {
    expect((await send('POST', '/mesh/bulk', bad, type)).status).toBe(400)
  }
  expect((await send('POST', '/mesh/bulk', Buffer.alloc(4 * 1024 * 1024 + 1, 0xf1), type)).status).toBe(413)
  expect((await send('POST', '/mesh/bulk', frame)).status).toBe(415)
  expect(frames).toHaveLength(1)
})

test('an unexpected error is a 500 without its message, logged with stack and request id', async () => {
  const { send, log } = await createTestbed(
    {},
    {
      node: nodeThatFails(() => {
        throw new TypeError('secret detail')
      }),
    },
  )
  const answer = await send('GET', '/health')
  expect(answer.status).toBe(500)
  expect(answer.text).not.toContain('secret')
  const { requestId } = answer.json as { requestId: string }
  expect(log).toContainEqual(
    expect.objectContaining({
      level: 50,
      reqId: requestId,
      err: expect.objectContaining({ stack: expect.stringContaining('secret detail') }),
    }),
  )
})

test('an operating error from below keeps its code and its faults', async () => {
  const faults = [{ path: 'x', message: 'is wrong' }]
  const { send } = await createTestbed(
    {},
    {
      node: nodeThatFails(() => {
        throw new FlagsError('OVERLOADED', 'Too much.', { faults, retryAfterSeconds: 0.2 })
      }),
    },
  )
  const answer = await send('GET', '/health')
  expect(answer.headers['retry-after']).toBe('1')
  expect(answer.json).toMatchObject({ status: 503, code: 'OVERLOADED', detail: 'Too much.', errors: faults })
})

function nodeThatFails(notReady: () => never) {
  return {
    id: '',
    address: '',
    url: '',
    members: () => [],
    conflicts: () => 0,
    tombstones: () => 0,
    isolated: () => false,
    onArrival: () => undefined,
    storageFailure: () => null,
    counters: () => ({}),
    notReady,
  }
}
