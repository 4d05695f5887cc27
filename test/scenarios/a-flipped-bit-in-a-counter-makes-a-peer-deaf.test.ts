import { expect, test } from 'vitest'
import { Drops } from '../../src/mesh/drops.ts'
import { Seal } from '../../src/mesh/seal.ts'

/**
 * Found by `npm run fuzz:wire`. Without a mesh key the counter of an envelope proves nothing, and still a greater one than ever before
 * moved the window of replays: all that the same sender said later counted as too old, until it was restarted.
 */
test('without a mesh key, one datagram whose counter was garbled leaves its sender heard', () => {
  const drops = new Drops()
  const sealAt = (address: string) => new Seal({ cluster: 'flags', keyring: [], address, bodyBytesMax: 100, drops })
  const [sender, receiver] = [sealAt('10.0.0.1:7946'), sealAt('10.0.0.2:7946')]
  const body = Buffer.from('alive')
  const garbled = Buffer.from(sender.seal('swim', body) ?? [])
  garbled.writeUIntBE(2 ** 47, 14, 6)
  expect(receiver.open(garbled)?.body).toEqual(body)
  for (let i = 0; i < 10; i++) expect(receiver.open(sender.seal('swim', body) ?? Buffer.of())?.body).toEqual(body)
  expect(drops.counts().replayed).toBe(0)
})
