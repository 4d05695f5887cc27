import { createSocket } from 'node:dgram'
import pino from 'pino'
import { expect, test } from 'vitest'
import { packetBytesMax } from '../../src/base/limits.ts'
import { parseAddress } from '../../src/mesh/address.ts'
import { parseKeyring } from '../../src/mesh/keyring.ts'
import { freePort, networkOf, seen, until, untilAllSee } from './harness.ts'

const keyring = parseKeyring(Buffer.alloc(32, 1).toString('base64'))

test('32 nodes that start together find each other by multicast, with a key', async (context) => {
  const multicast = { host: '239.255.70.71', port: await freePort() }
  const net = networkOf(context, { multicast, keyring })
  const nodes = await Promise.all(Array.from({ length: 32 }, () => net.open()))
  await Promise.all(nodes.map((node) => node.mesh.start(node.url)))
  await untilAllSee(nodes, 'alive')
  for (const { mesh, events } of nodes) {
    expect(events.map(({ type }) => type)).toEqual(Array.from({ length: 31 }, () => 'up'))
    expect(mesh.counters().drops).toMatchObject({ malformed: 0, badSeal: 0, foreignMesh: 0 })
  }
})

test('a member shows its id, its advertised address and its HTTP URL', async (context) => {
  const [a, b] = await networkOf(context).startJoined(2)
  const { incarnation, ...view } = a!.mesh.membership.members()[0]!
  expect(view).toEqual({ id: b!.options.nodeId, address: b!.mesh.address, url: b!.url, state: 'alive' })
  expect(b!.mesh.membership.self).toEqual({ ...view, incarnation })
})

test('meshes of other names, keys or without a key do not meet in one multicast group', async (context) => {
  const multicast = { host: '239.255.70.71', port: await freePort() }
  const others = [
    networkOf(context, { multicast, cluster: 'one' }),
    networkOf(context, { multicast, cluster: 'two' }),
    networkOf(context, { multicast, cluster: 'one', keyring }),
    networkOf(context, { multicast, cluster: 'one', keyring: parseKeyring(Buffer.alloc(32, 2).toString('base64')) }),
  ]
  for (const net of others) await Promise.all([net.start(), net.start()])
  for (const net of others) await untilAllSee(net.nodes, 'alive')
  const nodes = others.flatMap((net) => net.nodes)
  await until('each has heard others', () =>
    nodes.every(({ mesh }) => mesh.counters().drops.foreignMesh + mesh.counters().drops.badSeal > 0),
  )
  for (const { mesh } of nodes) expect(mesh.membership.members()).toHaveLength(1)
})

test('packets and bulk frames above the limits, and packets to nowhere, are dropped and do not throw', async (context) => {
  const [a] = await networkOf(context).startJoined(2)
  a!.mesh.sendPacket('127.0.0.1:1', new Uint8Array(packetBytesMax + 1))
  a!.mesh.sendPacket('nowhere', new Uint8Array(1))
  a!.mesh.sendBulk('127.0.0.1:1', new Uint8Array(1))
  await until('counted', () => {
    const { drops, sendErrors, bulkFailed } = a!.mesh.counters()
    return drops.tooLarge === 1 && sendErrors === 1 && bulkFailed === 1
  })
})

test("a packet arrives with the sender's advertised address, up to the largest", async (context) => {
  const [a, b] = await networkOf(context, { keyring }).startJoined(2)
  const got: { from: string; bytes: number }[] = []
  b!.mesh.onPacket((from, packet) => got.push({ from, bytes: packet.length }))
  a!.mesh.sendPacket(b!.mesh.address, new Uint8Array(packetBytesMax))
  await until('a packet arrives', () => got.length > 0)
  expect(got).toEqual([{ from: a!.mesh.address, bytes: packetBytesMax }])
})

test('a node that is told to join a member learns of all the others', async (context) => {
  const net = networkOf(context)
  const nodes = await net.startJoined(5)
  const late = await net.start()
  late.mesh.membership.join([nodes[3]!.mesh.address])
  await untilAllSee([...nodes, late], 'alive')
})

test("seeds are tried until they answer, by name too, and one's own address among them does no harm", async (context) => {
  const port = await freePort()
  const seeds = [
    { host: 'localhost', port },
    { host: 'no-such-name.invalid', port },
  ]
  const net = networkOf(context, { seeds })
  const early = await net.start()
  // The seed itself comes last.
  await until('the seed was tried', () => early.mesh.counters().datagramsSent > 0)
  const seed = await net.start({ port })
  const other = await net.start()
  await untilAllSee([early, seed, other], 'alive')
})

test('a node without multicast says so once and lives on seeds', async (context) => {
  const port = await freePort()
  const net = networkOf(context, { multicast: { host: '10.255.255.1', port: 9 }, seeds: [{ host: '127.0.0.1', port }] })
  await net.start({ port })
  await net.start()
  await untilAllSee(net.nodes, 'alive')
})

test('who says goodbye has left at once, and its peers are not isolated by it', async (context) => {
  const net = networkOf(context)
  const nodes = await net.startJoined(4)
  const leaver = net.nodes.pop()!
  const stay = nodes.slice(0, 3)
  await leaver.mesh.stop()
  await until('left', () => stay.every((node) => seen(node, leaver) === 'left'), 3_000)
  for (const { events, mesh } of stay) {
    expect(events.at(-1)).toEqual({ type: 'left', address: leaver.mesh.address, id: leaver.options.nodeId })
    expect(mesh.isolated()).toBe(false)
  }
})

test('random and replayed datagrams are counted and change nothing', async (context) => {
  const net = networkOf(context)
  const [a] = await net.startJoined(2)
  const before = JSON.stringify(a!.mesh.membership.members())
  const port = Number(a!.mesh.address.split(':')[1])
  const socket = createSocket('udp4')
  for (let i = 0; i < 200; i++) socket.send(Buffer.alloc(i, i), port, '127.0.0.1')
  await until('all are counted', () => a!.mesh.counters().drops.malformed >= 200)
  socket.close()
  expect(JSON.stringify(a!.mesh.membership.members())).toBe(before)
})

test('a taken port moves to the next free one, unless it was set by hand', async (context) => {
  const net = networkOf(context)
  const first = await net.open({ port: 0 })
  const port = Number(first.mesh.address.split(':')[1])
  await expect(net.open({ port, portFixed: true })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  const second = await net.open({ port, portFixed: false })
  expect(Number(second.mesh.address.split(':')[1])).toBeGreaterThan(port)
})

test('a node that said goodbye and starts again at once is back', async (context) => {
  const net = networkOf(context)
  const [a, b, c] = await net.startJoined(3)
  await b!.mesh.stop()
  net.nodes.splice(net.nodes.indexOf(b!), 1)
  await until('left', () => seen(a!, b!) === 'left' && seen(c!, b!) === 'left')
  const again = await net.start({ port: Number(b!.mesh.address.split(':')[1]), nodeId: b!.options.nodeId })
  again.mesh.membership.join([a!.mesh.address])
  await untilAllSee([a!, c!, again], 'alive')
})

test('a second process that advertises the same address is ignored and reported once', async (context) => {
  const warnings: string[] = []
  const logger = pino({ level: 'warn' }, { write: (line: string) => warnings.push(line) })
  const net = networkOf(context, { multicast: { host: '239.255.70.71', port: await freePort() } })
  const original = await net.start({ logger })
  const port = Number(original.mesh.address.split(':')[1])
  // Another loopback address lets it bind the same port.
  const twin = await net.start({ host: '127.0.0.2', port, advertise: '127.0.0.1' })
  expect(twin.mesh.address).toBe(original.mesh.address)
  const other = await net.start({ host: '127.0.0.2' })
  await until('the twin was heard', () => warnings.length > 0)
  await until('the others meet', () => seen(original, other) === 'alive')
  expect(warnings.filter((line) => line.includes('another process advertises'))).toHaveLength(1)
})

test('nodes on IPv6 meet by seeds', async (context) => {
  const net = networkOf(context, { host: '::1' })
  const seed = await net.open()
  await seed.mesh.start('http://[::1]:8080')
  const other = await net.open({ seeds: [{ host: '::1', port: parseAddress(seed.mesh.address)!.port }] })
  await other.mesh.start('http://[::1]:8081')
  await untilAllSee([seed, other], 'alive')
})

test('a node neither hears nor says anything before it is started', async (context) => {
  const net = networkOf(context)
  const started = await net.start()
  const waiting = await net.open()
  started.mesh.membership.join([waiting.mesh.address])
  await until('it was greeted', () => waiting.mesh.counters().datagramsReceived > 0)
  expect(waiting.mesh.counters().datagramsSent).toBe(0)
  expect(waiting.mesh.membership.members()).toEqual([])
})
