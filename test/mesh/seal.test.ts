import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { packetBytesMax } from '../../src/base/limits.ts'
import { Drops } from '../../src/mesh/drops.ts'
import { parseKeyring } from '../../src/mesh/keyring.ts'
import { Seal, type SealOptions } from '../../src/mesh/seal.ts'

const key = (fill: number): string => Buffer.alloc(32, fill).toString('base64')

function sealOf(options: Partial<SealOptions> = {}): { readonly seal: Seal; readonly drops: Drops } {
  const drops = new Drops()
  const defaults = { cluster: 'flags', keyring: [], address: '10.0.0.1:7946', bodyBytesMax: packetBytesMax, drops }
  return { seal: new Seal({ ...defaults, ...options }), drops }
}

const body = Buffer.from('kill switch off')

for (const [name, keyring] of [
  ['without a key', []],
  ['with a key', parseKeyring(key(1))],
] as const) {
  test(`an envelope gives back channel, sender and body ${name}`, () => {
    const { seal } = sealOf({ keyring })
    const opened = sealOf({ keyring, address: '10.0.0.2:7946' }).seal.open(seal.seal('replica', body)!)
    expect(opened).toEqual({ channel: 'replica', from: '10.0.0.1:7946', body })
  })

  test(`an envelope is opened once ${name}`, () => {
    const envelope = sealOf({ keyring }).seal.seal('swim', body)!
    const { seal, drops } = sealOf({ keyring })
    expect(seal.open(envelope)).not.toBeNull()
    expect(seal.open(envelope)).toBeNull()
    expect(drops.counts().replayed).toBe(1)
  })

  test(`random bytes, truncated and changed envelopes are dropped and counted ${name}`, () => {
    const envelope = sealOf({ keyring }).seal.seal('swim', body)!
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 2_000 }),
      fc.nat(envelope.length - 1).map((length) => envelope.subarray(0, length)),
      fc.uint8Array({ maxLength: 200 }).map((tail) => Buffer.concat([envelope.subarray(0, 20), tail])),
    )
    fc.assert(
      fc.property(hostile, (bytes) => {
        const { seal, drops } = sealOf({ keyring })
        const opened = seal.open(bytes)
        const dropped = Object.values(drops.counts()).reduce((sum, count) => sum + count, 0)
        expect(dropped).toBe(opened === null ? 1 : 0)
      }),
      { numRuns: 500 },
    )
  })
}

test('any changed bit of a sealed envelope breaks it', () => {
  const keyring = parseKeyring(key(1))
  const envelope = sealOf({ keyring }).seal.seal('swim', body)!
  const { seal } = sealOf({ keyring })
  for (let bit = 0; bit < envelope.length * 8; bit++) {
    const changed = Buffer.from(envelope)
    changed[bit >> 3]! ^= 1 << (bit & 7)
    expect(seal.open(changed)).toBeNull()
  }
  expect(seal.open(envelope)).not.toBeNull()
})

test('the body of a sealed envelope cannot be read in it, nor the sender', () => {
  const envelope = sealOf({ keyring: parseKeyring(key(1)) }).seal.seal('swim', body)!
  expect(envelope.includes(body)).toBe(false)
  expect(envelope.includes('10.0.0.1')).toBe(false)
})

test('the first key seals and all keys open, so that a key can be replaced node by node', () => {
  const old = sealOf({ keyring: parseKeyring(key(1)) })
  const between = sealOf({ keyring: parseKeyring(`${key(2)},${key(1)}`) })
  expect(between.seal.open(old.seal.seal('swim', body)!)).not.toBeNull()
  expect(old.seal.open(between.seal.seal('swim', body)!)).toBeNull()
  expect(old.drops.counts().badSeal).toBe(1)
})

test('a node with a key ignores what is not sealed, and a node without one what is', () => {
  const open = sealOf()
  const sealed = sealOf({ keyring: parseKeyring(key(1)) })
  expect(sealed.seal.open(open.seal.seal('swim', body)!)).toBeNull()
  expect(open.seal.open(sealed.seal.seal('swim', body)!)).toBeNull()
  expect([open.drops.counts().badSeal, sealed.drops.counts().badSeal]).toEqual([1, 1])
})

test('another mesh name is told from a bad seal, with the same key too', () => {
  const keyring = parseKeyring(key(1))
  const { seal, drops } = sealOf({ keyring })
  expect(seal.open(sealOf({ keyring, cluster: 'other' }).seal.seal('swim', body)!)).toBeNull()
  expect(drops.counts()).toMatchObject({ foreignMesh: 1, badSeal: 0 })
})

test('a newer envelope is dropped as an unknown version', () => {
  const envelope = sealOf().seal.seal('swim', body)!
  envelope[2] = 2
  const { seal, drops } = sealOf()
  expect(seal.open(envelope)).toBeNull()
  expect(drops.counts().unknownVersion).toBe(1)
})

test('a body above the limit is neither sealed nor opened', () => {
  const { seal, drops } = sealOf()
  expect(seal.seal('replica', new Uint8Array(packetBytesMax + 1))).toBeNull()
  const large = sealOf({ bodyBytesMax: 1_000_000 }).seal.seal('replica', new Uint8Array(packetBytesMax + 400))!
  expect(seal.open(large)).toBeNull()
  expect(drops.counts().tooLarge).toBe(2)
})

test('the echo of an own envelope is ignored and is no drop', () => {
  const { seal, drops } = sealOf()
  expect(seal.open(seal.seal('hello', body)!)).toBeNull()
  expect(Object.values(drops.counts()).every((count) => count === 0)).toBe(true)
})

test('a keyring is read from keys in base64, blanks around them ignored', () => {
  expect(parseKeyring(` ${key(1)} ,\n${key(2)}\n`)).toHaveLength(2)
  expect(parseKeyring(' \n')).toEqual([])
})

test('a bad key is refused by its position and not shown', () => {
  const short = randomBytes(16).toString('base64')
  expect(() => parseKeyring(`${key(1)},${short}`)).toThrow(/^Mesh key 2 has 16 bytes instead of 32/)
  expect(() => parseKeyring(`${key(1)},`)).toThrow(/^Mesh key 2 is not base64/)
  expect(() => parseKeyring(`${key(1).slice(0, -3)}*=`)).toThrow(/^Mesh key 1 is not base64/)
  expect(() => parseKeyring(short)).not.toThrow(new RegExp(short.replace(/[+/=]/g, '.')))
})
