import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { networkOf, seen, until, untilAllSee } from './harness.ts'

test.concurrent('a crash is noticed by all, and leaves a lone survivor isolated', async (context) => {
  const net = networkOf(context)
  const [a, b] = await net.startJoined(2)
  expect(a!.mesh.isolated()).toBe(false)
  await net.kill(b!)
  await until('dead', () => seen(a!, b!) === 'dead')
  expect(a!.events.at(-1)?.type).toBe('down')
  expect(a!.mesh.isolated()).toBe(true)
})

test.concurrent('a node that restarts at once under its address and another identity outranks its ghost', async (context) => {
  const net = networkOf(context)
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

test.concurrent('a node that restarts after it was declared dead comes back', async (context) => {
  const net = networkOf(context)
  const [a, b, c] = await net.startJoined(3)
  await net.kill(b!)
  await until('dead', () => seen(a!, b!) === 'dead' && seen(c!, b!) === 'dead')
  const again = await net.start({ port: Number(b!.mesh.address.split(':')[1]), nodeId: b!.options.nodeId })
  again.mesh.membership.join([c!.mesh.address])
  await untilAllSee([a!, c!, again], 'alive')
})

test.concurrent('two halves that declared each other dead are one mesh soon after the cut is mended, and bury nobody meanwhile', async (context) => {
  const net = networkOf(context)
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
})

test.concurrent('nobody alive is declared dead in ten seconds at 30 % loss', async (context) => {
  const net = networkOf(context, {}, 30)
  const nodes = await net.startJoined(16)
  net.lossRatio = 0.3
  await delay(10_000)
  expect(net.lost).toBeGreaterThan(100)
  expect(nodes.flatMap(({ events }) => events).filter(({ type }) => type === 'down')).toEqual([])
})
