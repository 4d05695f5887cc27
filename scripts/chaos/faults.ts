import { setTimeout as delay } from 'node:timers/promises'
import { below, type Random, sample, unit } from '../../src/base/random.ts'
import { ask } from '../../test/e2e/harness/api.ts'
import type { VirtualNetwork } from '../../test/e2e/harness/virtual-network.ts'
import type { Arena } from './arena.ts'

export interface Strike {
  /** What was hit, and the proof that it was. */
  readonly what: string
  /** When the fault was over (monotonic): the packets pass again, the process goes on, or it was started again. */
  readonly endedMs: number
  /** How long nodes that were started again took until they were ready; 0 when none was. */
  readonly startingMs: number
}

export interface Fault {
  readonly key: string
  readonly name: string
  /** A wire that can be cut is needed. */
  readonly needsNetwork: boolean
  /** Strikes, holds, and mends. Throws when the fault did not bite. */
  strike(arena: Arena, random: Random): Promise<Strike>
}

const pauseMs = 5_000
const lossPercent = 30

/** The kinds of faults, each drawn anew from `random` at every strike. */
export const faults: readonly Fault[] = [
  {
    key: 'crash',
    name: 'crash of a node (SIGKILL), restart',
    needsNetwork: false,
    strike: (arena, random) => crash(arena, random, false),
  },
  {
    key: 'disk',
    name: 'crash of a node, restart with an empty directory',
    needsNetwork: false,
    strike: (arena, random) => crash(arena, random, true),
  },
  { key: 'pause', name: `a node stands still for ${pauseMs / 1_000} s (SIGSTOP)`, needsNetwork: false, strike: pause },
  { key: 'power', name: 'power loss of all nodes at once (SIGKILL), restart', needsNetwork: false, strike: powerLoss },
  {
    key: 'halves',
    name: 'half of the nodes cut off from the other half',
    needsNetwork: true,
    strike: (arena, random) => cut(arena, random, Math.floor(arena.nodes.length / 2)),
  },
  {
    key: 'island',
    name: 'one node cut off from all others',
    needsNetwork: true,
    strike: (arena, random) => cut(arena, random, 1),
  },
  { key: 'loss', name: `${lossPercent} % of all packets lost`, needsNetwork: true, strike: loss },
]

async function crash(arena: Arena, random: Random, emptied: boolean): Promise<Strike> {
  const node = below(random, arena.nodes.length)
  const downMs = between(random, 500, 4_000)
  const before = await arena.kill(node)
  if (emptied) arena.wipe(node)
  await delay(downMs)
  const endedMs = performance.now()
  const after = await arena.start(node)
  if (emptied !== (before.id !== after.id))
    throw new Error(`node ${node} came back as ${after.id} and was ${before.id}`)
  return restarted(`node ${node}, down for ${seconds(downMs)}`, endedMs)
}

async function pause(arena: Arena, random: Random): Promise<Strike> {
  const node = below(random, arena.nodes.length)
  const life = arena.pause(node)
  let answered = false
  const probe = ask(life.process, 'GET', '/health/live').then(() => {
    answered = true
  })
  await delay(pauseMs)
  const bit = !answered
  arena.resume(life)
  const endedMs = performance.now()
  await probe
  if (!bit) throw new Error(`node ${node} answered while it was stopped`)
  return { what: `node ${node}`, endedMs, startingMs: 0 }
}

async function powerLoss(arena: Arena, random: Random): Promise<Strike> {
  const downMs = between(random, 200, 1_000)
  await Promise.all(arena.nodes.map((node) => arena.kill(node)))
  await delay(downMs)
  const endedMs = performance.now()
  await Promise.all(arena.nodes.map((node) => arena.start(node)))
  return restarted(`all ${arena.nodes.length} nodes, down for ${seconds(downMs)}`, endedMs)
}

async function cut(arena: Arena, random: Random, count: number): Promise<Strike> {
  const side = sample(random, arena.nodes, count)
  const other = arena.nodes.filter((node) => !side.includes(node))
  const forMs = between(random, 4_000, 12_000)
  const hosts = (nodes: readonly number[]) => nodes.flatMap((node) => arena.host(node) ?? [])
  const fromWallMs = Date.now()
  const eaten = await onWire(arena, forMs, (wire) => wire.partition(hosts(side), hosts(other)))
  arena.cuts.push({ sides: [side, other], fromWallMs, toWallMs: Date.now() })
  return over(`nodes ${side.join(', ')} for ${seconds(forMs)}, ${eaten} packets`)
}

async function loss(arena: Arena, random: Random): Promise<Strike> {
  const forMs = between(random, 4_000, 12_000)
  const eaten = await onWire(arena, forMs, (wire) => wire.lose(lossPercent))
  return over(`for ${seconds(forMs)}, ${eaten} packets`)
}

/** Leaves the wire so for a while; gives how many packets that has eaten. */
async function onWire({ network }: Arena, forMs: number, spoil: (wire: VirtualNetwork) => void): Promise<number> {
  if (network === null) throw new Error('on loopback there is no wire to cut')
  const before = network.eaten()
  spoil(network)
  await delay(forMs)
  network.heal()
  const eaten = network.eaten() - before
  if (eaten === 0) throw new Error('not one packet was eaten')
  return eaten
}

function between(random: Random, minMs: number, maxMs: number): number {
  return Math.round(minMs + unit(random) * (maxMs - minMs))
}

function restarted(what: string, endedMs: number): Strike {
  const startingMs = performance.now() - endedMs
  return { what: `${what}, ready ${seconds(startingMs)} after the restart`, endedMs, startingMs }
}

function over(what: string): Strike {
  return { what, endedMs: performance.now(), startingMs: 0 }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}
