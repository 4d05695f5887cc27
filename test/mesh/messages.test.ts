import fc from 'fast-check'
import type { SwimUpdate } from 'swim'
import { expect, test } from 'vitest'
import { formatAddress, parseAddress } from '../../src/mesh/address.ts'
import { decodeHello, encodeHello } from '../../src/mesh/hello.ts'
import { decodeSwimMessages, encodeSwimPayload, swimTypes } from '../../src/mesh/swim-messages.ts'
import { createSwimNode } from '../../src/mesh/swim-node.ts'

const update: SwimUpdate = {
  host: '10.0.0.1:7946',
  state: 1,
  incarnation: 1_760_000_000,
  meta: { id: '0123456789abcdef', url: 'http://10.0.0.1:8080', left: false },
}

function message(type: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type]), payload])
}

test('what swim sends is what is decoded: alone, and with news attached', () => {
  const sent: Buffer[] = []
  const { host: address, incarnation, meta } = update
  const swim = createSwimNode({ address, incarnation, meta, send: (_, bytes) => sent.push(Buffer.from(bytes)) })
  const messages = [
    { type: swimTypes.sync, data: update },
    { type: swimTypes.pingreq, data: { seq: 7, destination: '[::1]:7946' } },
    ...Array.from({ length: 40 }, () => ({ type: swimTypes.update, data: update })),
  ]
  swim.net.sendMessages(messages, '10.0.0.2:7946')
  expect(sent.length).toBeGreaterThan(1)
  const decoded = sent.flatMap((bytes) => decodeSwimMessages(bytes) ?? [])
  expect(decoded.map(({ data }) => data)).toEqual(messages.map(({ data }) => data))
  expect(decoded.slice(0, 3).map(({ event }) => event)).toEqual(['sync', 'pingreq', 'update'])
})

test('random bytes and mutations of real messages never throw, and only whole messages are decoded', () => {
  const real = message(swimTypes.update, encodeSwimPayload(update))
  const fields = fc.tuple(
    fc.oneof(fc.constant(update.host), fc.string(), fc.webAuthority()),
    fc.oneof(fc.nat(3), fc.double(), fc.anything()),
    fc.oneof(fc.nat(), fc.double(), fc.bigInt().map(String)),
    fc.string(),
    fc.webUrl(),
    fc.nat(2),
  )
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 1_300 }),
    fc
      .tuple(fc.constantFrom(...Object.values(swimTypes)), fc.uint8Array({ maxLength: 100 }))
      .map(([type, rest]) => message(type, Buffer.from(rest))),
    fc
      .tuple(fc.constantFrom(...Object.values(swimTypes)), fields)
      .map(([type, data]) => message(type, Buffer.from(JSON.stringify(data) ?? ''))),
    fc.nat(real.length - 1).map((length) => real.subarray(0, length)),
  )
  fc.assert(
    fc.property(hostile, (bytes) => {
      for (const { data } of decodeSwimMessages(bytes) ?? []) {
        if ('host' in data) expect(parseAddress(data.host)).not.toBeNull()
        else expect(data.seq).toBeGreaterThanOrEqual(0)
      }
    }),
    { numRuns: 2_000 },
  )
})

test('an update is refused whole when one of its fields is not sane', () => {
  const refused: readonly unknown[] = [
    { ...update, host: '10.0.0.1' },
    { ...update, host: '10.0.0.1:70000' },
    { ...update, host: 'a b:1' },
    { ...update, state: 3 },
    { ...update, incarnation: -1 },
    { ...update, incarnation: 2 ** 60 },
    { ...update, incarnation: 1.5 },
    { ...update, meta: { ...update.meta, id: 'g123456789abcdef' } },
    { ...update, meta: { ...update.meta, url: 'file:///etc/passwd' } },
    { ...update, meta: { ...update.meta, url: 'http://10.0.0.1:8080/path' } },
  ]
  for (const data of refused) {
    expect(decodeSwimMessages(message(swimTypes.update, encodeSwimPayload(data)))).toBeNull()
  }
  expect(decodeSwimMessages(message(swimTypes.update, encodeSwimPayload(update)))).toHaveLength(1)
})

test('a compound with a message too few or too many bytes is refused', () => {
  const ping = message(swimTypes.ping, encodeSwimPayload({ seq: 1 }))
  const compound = (count: number, ...rest: Uint8Array[]) => Buffer.concat([Buffer.from([0, count, 0]), ...rest])
  const framed = Buffer.concat([Buffer.from([ping.length, 0]), ping])
  expect(decodeSwimMessages(compound(1, framed))).toHaveLength(1)
  expect(decodeSwimMessages(compound(2, framed))).toBeNull()
  expect(decodeSwimMessages(compound(1, framed, Buffer.from([0])))).toBeNull()
  const nested = compound(1, framed)
  expect(decodeSwimMessages(compound(1, Buffer.from([nested.length, 0]), nested))).toBeNull()
})

test('a hello comes back as it was, and nothing else is one', () => {
  const hello = { id: update.meta.id, url: update.meta.url, incarnation: 5, viewDigest: 0xffff_ffff }
  expect(decodeHello(encodeHello(hello))).toEqual(hello)
  expect(decodeHello(encodeHello({ ...hello, viewDigest: -1 }))).toBeNull()
  expect(decodeHello(encodeHello({ ...hello, url: 'ftp://10.0.0.1' }))).toBeNull()
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map((text) => Buffer.from(text)),
  )
  fc.assert(
    fc.property(hostile, (bytes) => {
      expect(decodeHello(bytes)).toBeNull()
    }),
  )
})

test('addresses are hosts or bracketed IPv6 with a port', () => {
  for (const address of ['127.0.0.1:1', 'node-1.rack_2:65535', '[::1]:7946']) {
    expect(formatAddress(parseAddress(address)!)).toBe(address)
  }
  for (const text of [
    '',
    ':1',
    'a',
    'a:',
    'a:0',
    'a:65536',
    'a:1x',
    '::1:7',
    '[::g]:7',
    '[a]:7',
    `${'a'.repeat(300)}:1`,
  ]) {
    expect(parseAddress(text)).toBeNull()
  }
})
