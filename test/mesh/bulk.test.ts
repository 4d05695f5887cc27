import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { expect, type TestContext, test } from 'vitest'
import { bulkFrameBytesMax, bulkQueueBytesMax } from '../../src/base/limits.ts'
import { parseKeyring } from '../../src/mesh/keyring.ts'
import type { Mesh, MeshOptions } from '../../src/mesh/mesh.ts'
import { networkOf, type TestNetwork, until, untilAllSee } from './harness.ts'

interface Peer {
  readonly mesh: Mesh
  readonly frames: { readonly from: string; readonly frame: Buffer }[]
  readonly bodies: Buffer[]
  readonly statuses: number[]
}

/** A started node whose HTTP route does what the server's does; `hold` delays its answer. */
async function peer(context: TestContext, net: TestNetwork, hold: () => Promise<void> = async () => {}): Promise<Peer> {
  const node = await net.open()
  const made: Peer = { mesh: node.mesh, frames: [], bodies: [], statuses: [] }
  const answer = async (request: IncomingMessage): Promise<number> => {
    const body = await buffer(request)
    made.bodies.push(body)
    await hold()
    return request.url === '/mesh/bulk' && node.mesh.receiveBulk(body) ? 204 : 400
  }
  const server = createServer((request, response) => {
    answer(request).then(
      (status) => {
        made.statuses.push(status)
        response.writeHead(status).end()
      },
      () => response.destroy(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  node.mesh.onBulk((from, frame) => made.frames.push({ from, frame: Buffer.from(frame) }))
  await node.mesh.start(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  return made
}

async function pair(context: TestContext, options: Partial<MeshOptions> = {}, hold?: () => Promise<void>) {
  const net = networkOf(context, options)
  const [a, b] = [await peer(context, net), await peer(context, net, hold)]
  a.mesh.membership.join([b.mesh.address])
  await untilAllSee(net.nodes, 'alive')
  return { a, b }
}

const keyring = parseKeyring(Buffer.alloc(32, 1).toString('base64'))
const otherKeyring = parseKeyring(Buffer.alloc(32, 2).toString('base64'))

test('frames arrive whole, in order and from the advertised address, the largest too', async (context) => {
  const { a, b } = await pair(context, { keyring })
  const frames = Array.from({ length: 50 }, (_, i) => Buffer.alloc(i === 7 ? bulkFrameBytesMax : i * 100, i))
  for (const frame of frames) a.mesh.sendBulk(b.mesh.address, frame)
  await until('all frames arrive', () => b.frames.length === 50)
  expect(b.frames.map(({ frame }) => frame.equals(frames.shift()!))).toEqual(Array.from({ length: 50 }, () => true))
  expect(new Set(b.frames.map(({ from }) => from))).toEqual(new Set([a.mesh.address]))
  expect(b.bodies.some((body) => body.includes(Buffer.alloc(100, 1)))).toBe(false)
  // The answer to the last one may still be on its way.
  await until('all frames are answered', () => a.mesh.counters().bulkSent === 50)
  expect(a.mesh.counters()).toMatchObject({ bulkFailed: 0, bulkDropped: 0 })
})

test('a recorded frame is refused when it is played again, and so is one from another key', async (context) => {
  const { a, b } = await pair(context, { keyring, cluster: 'one' })
  a.mesh.sendBulk(b.mesh.address, Buffer.from('once'))
  await until('it arrives', () => b.frames.length === 1)
  expect(b.mesh.receiveBulk(b.bodies[0]!)).toBe(false)
  const stranger = await pair(context, { keyring: otherKeyring, cluster: 'one' })
  expect(stranger.a.mesh.receiveBulk(b.bodies[0]!)).toBe(false)
  expect(b.frames).toHaveLength(1)
  expect(b.mesh.counters().drops.replayed).toBe(1)
  expect(stranger.a.mesh.counters().drops.badSeal).toBe(1)
})

test('random bodies are refused and counted', async (context) => {
  const { a } = await pair(context)
  const dropped = () => Object.values(a.mesh.counters().drops).reduce((sum, count) => sum + count, 0)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (body) => {
      const before = dropped()
      expect(a.mesh.receiveBulk(body)).toBe(false)
      expect(dropped()).toBe(before + 1)
    }),
  )
})

test('a peer that does not answer costs a bounded queue, and what waited behind the lost frame goes with it', async (context) => {
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const { a, b } = await pair(context, {}, () => held)
  const large = new Uint8Array(bulkFrameBytesMax)
  const fitting = bulkQueueBytesMax / bulkFrameBytesMax
  for (let i = 0; i < fitting + 3; i++) a.mesh.sendBulk(b.mesh.address, large)
  expect(a.mesh.counters().bulkDropped).toBe(3)
  await until('the first is given up', () => a.mesh.counters().bulkFailed === 1)
  await until('the rest too', () => a.mesh.counters().bulkDropped === fitting - 1 + 3)
  release()
  a.mesh.sendBulk(b.mesh.address, Buffer.from('again'))
  await until('the connection is made anew', () => b.frames.some(({ frame }) => frame.toString() === 'again'))
})
