import { createSocket } from 'node:dgram'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { packetBytesMax } from '../../src/base/limits.ts'
import { parseKeyring } from '../../src/mesh/keyring.ts'
import { freePort, seen, TestNetwork, until, untilAllSee } from './harness.ts'

const networks: TestNetwork[] = []

function network(...args: ConstructorParameters<typeof TestNetwork>): TestNetwork {
  const made = new TestNetwork(...args)
  networks.push(made)
  return made
}

afterEach(async () => {
  await Promise.all(networks.splice(0).map((made) => made.stop()))
})

const keyring = parseKeyring(Buffer.alloc(32, 1).toString('base64'))

test('32 nodes that start together find each other by multicast, with a key', async () => {
  const multicast = { host: '239.255.70.71', port: await freePort() }
  const net = network({ multicast, keyring })
  const nodes = await Promise.all(Array.from({ length: 32 }, () => net.open()))
  await Promise.all(nodes.map((node) => node.mesh.start(node.url)))
  await untilAllSee(nodes, 'alive')
  for (const { mesh, events } of nodes) {
    expect(events.map(({ type }) => type)).toEqual(Array.from({ length: 31 }, () => 'up'))
    expect(mesh.counters().drops).toMatchObject({ malformed: 0, badSeal: 0, foreignMesh: 0 })
  }
})

test('a member shows its id, its advertised address and its HTTP URL', async () => {
  const [a, b] = await network().startJoined(2)
  const { incarnation, ...view } = a!.mesh.membership.members()[0]!
  expect(view).toEqual({ id: b!.options.nodeId, address: b!.mesh.address, url: b!.url, state: 'alive' })
  expect(b!.mesh.membership.self).toEqual({ ...view, incarnation })
})

test('meshes of other names, keys or without a key do not meet in one multicast group', async () => {
  const multicast = { host: '239.255.70.71', port: await freePort() }
  const others = [
    network({ multicast, cluster: 'one' }),
    network({ multicast, cluster: 'two' }),
    network({ multicast, cluster: 'one', keyring }),
    network({ multicast, cluster: 'one', keyring: parseKeyring(Buffer.alloc(32, 2).toString('base64')) }),
  ]
  for (const net of others) await Promise.all([net.start(), net.start()])
  for (const net of others) await untilAllSee(net.nodes, 'alive')
  const nodes = others.flatMap((net) => net.nodes)
  await until('each has heard others', () =>
    nodes.every(({ mesh }) => mesh.counters().drops.foreignMesh + mesh.counters().drops.badSeal > 0),
  )
  for (const { mesh } of nodes) expect(mesh.membership.members()).toHaveLength(1)
})

test('packets and bulk frames above the limits, and packets to nowhere, are dropped and do not throw', async () => {
  const [a] = await network().startJoined(2)
  a!.mesh.sendPacket('127.0.0.1:1', new Uint8Array(packetBytesMax + 1))
  a!.mesh.sendPacket('nowhere', new Uint8Array(1))
  a!.mesh.sendBulk('127.0.0.1:1', new Uint8Array(1))
  await until('counted', () => {
    const { drops, sendErrors, bulkFailed } = a!.mesh.counters()
    return drops.tooLarge === 1 && sendErrors === 1 && bulkFailed === 1
  })
})

test("a packet arrives with the sender's advertised address, up to the largest", async () => {
  const [a, b] = await network({ keyring }).startJoined(2)
  const got: { from: string; bytes: number }[] = []
  b!.mesh.onPacket((from, packet) => got.push({ from, bytes: packet.length }))
  a!.mesh.sendPacket(b!.mesh.address, new Uint8Array(packetBytesMax))
  await until('a packet arrives', () => got.length > 0)
  expect(got).toEqual([{ from: a!.mesh.address, bytes: packetBytesMax }])
})

test('a node that is told to join a member learns of all the others', async () => {
  const net = network()
  const nodes = await net.startJoined(5)
  const late = await net.start()
  late.mesh.membership.join([nodes[3]!.mesh.address])
  await untilAllSee([...nodes, late], 'alive')
})

test("seeds are tried until they answer, by name too, and one's own address among them does no harm", async () => {
  const port = await freePort()
  const seeds = [
    { host: 'localhost', port },
    { host: 'no-such-name.invalid', port },
  ]
  const net = network({ seeds })
  const early = await net.start()
  // The seed itself comes last.
  await until('the seed was tried', () => early.mesh.counters().datagramsSent > 0)
  const seed = await net.start({ port })
  const other = await net.start()
  await untilAllSee([early, seed, other], 'alive')
})

test('a node without multicast says so once and lives on seeds', async () => {
  const port = await freePort()
  const net = network({ multicast: { host: '10.255.255.1', port: 9 }, seeds: [{ host: '127.0.0.1', port }] })
  await net.start({ port })
  await net.start()
  await untilAllSee(net.nodes, 'alive')
})

test('who says goodbye has left at once, and its peers are not isolated by it', async () => {
  const net = network()
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

test('a crash is noticed by all, and leaves a lone survivor isolated', async () => {
  const net = network()
  const [a, b] = await net.startJoined(2)
  expect(a!.mesh.isolated()).toBe(false)
  await net.kill(b!)
  await until('dead', () => seen(a!, b!) === 'dead')
  expect(a!.events.at(-1)?.type).toBe('down')
  expect(a!.mesh.isolated()).toBe(true)
})

test('a node that restarts at once under its address and another identity outranks its ghost', async () => {
  const net = network()
  const [a, b, c] = await net.startJoined(3)
  const port = Number(b!.mesh.address.split(':')[1])
  await net.kill(b!)
  expect([seen(a!, b!), seen(c!, b!)]).not.toContain('dead')
  const again = await net.start({ port })
  again.mesh.membership.join([a!.mesh.address])
  const known = (node: typeof a) => node!.mesh.membership.members().find((m) => m.address === again.mesh.address)
  await until('the new identity is known', () => [a, c].every((node) => known(node)?.id === again.options.nodeId))
  await untilAllSee([a!, c!, again], 'alive')
  expect(a!.events.slice(-2)).toEqual([
    { type: 'down', address: b!.mesh.address, id: b!.options.nodeId },
    { type: 'up', address: b!.mesh.address, id: again.options.nodeId },
  ])
})

test('a node that restarts after it was declared dead comes back', async () => {
  const net = network()
  const [a, b, c] = await net.startJoined(3)
  await net.kill(b!)
  await until('dead', () => seen(a!, b!) === 'dead' && seen(c!, b!) === 'dead')
  const again = await net.start({ port: Number(b!.mesh.address.split(':')[1]), nodeId: b!.options.nodeId })
  again.mesh.membership.join([c!.mesh.address])
  await untilAllSee([a!, c!, again], 'alive')
})

test('two halves that declared each other dead are one mesh soon after the cut is mended, and bury nobody meanwhile', async () => {
  const net = network()
  const nodes = await net.startJoined(6)
  const left = new Set(nodes.slice(0, 3).map(({ mesh }) => mesh.address))
  net.cut = (from, to) => left.has(from) !== left.has(to)
  const halves = [nodes.slice(0, 3), nodes.slice(3)]
  const apart = (mine: typeof nodes, theirs: typeof nodes) =>
    mine.every((node) => theirs.every((peer) => seen(node, peer) === 'dead'))
  await until('both halves are alone', () => apart(halves[0]!, halves[1]!) && apart(halves[1]!, halves[0]!))
  expect(net.lost).toBeGreaterThan(0)
  for (const half of halves) await untilAllSee(half, 'alive')
  for (const { events } of nodes) events.length = 0
  net.cut = () => false
  await untilAllSee(nodes, 'alive')
  for (const { events } of nodes) expect(events.map(({ type }) => type)).toEqual(['up', 'up', 'up'])
}, 90_000)

test('random and replayed datagrams are counted and change nothing', async () => {
  const net = network()
  const [a] = await net.startJoined(2)
  const before = JSON.stringify(a!.mesh.membership.members())
  const port = Number(a!.mesh.address.split(':')[1])
  const socket = createSocket('udp4')
  for (let i = 0; i < 200; i++) socket.send(Buffer.alloc(i, i), port, '127.0.0.1')
  await until('all are counted', () => a!.mesh.counters().drops.malformed >= 200)
  socket.close()
  expect(JSON.stringify(a!.mesh.membership.members())).toBe(before)
})

test('a taken port moves to the next free one, unless it was set by hand', async () => {
  const net = network()
  const first = await net.open({ port: 0 })
  const port = Number(first.mesh.address.split(':')[1])
  await expect(net.open({ port, portFixed: true })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  const second = await net.open({ port, portFixed: false })
  expect(Number(second.mesh.address.split(':')[1])).toBeGreaterThan(port)
})

test('nobody alive is declared dead in ten seconds at 30 % loss', async () => {
  const net = network({}, 30)
  const nodes = await net.startJoined(16)
  net.lossRatio = 0.3
  await delay(10_000)
  expect(net.lost).toBeGreaterThan(100)
  expect(nodes.flatMap(({ events }) => events).filter(({ type }) => type === 'down')).toEqual([])
})
