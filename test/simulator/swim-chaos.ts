import { below, sample } from '../../src/base/random.ts'
import { between } from './fault.ts'
import { type SwimMachine, SwimSimulation } from './swim-simulation.ts'

export interface SwimChaosReport {
  readonly struck: ReadonlyMap<string, number>
  /** Simulated milliseconds from the end of the faults until all views were right. */
  readonly agreedMs: number
}

/** Strikes; returns false when there was nothing to strike. */
type SwimFault = (simulation: SwimSimulation, gone: Set<SwimMachine>) => boolean

function pickRunning({ random, running }: SwimSimulation): SwimMachine | undefined {
  return running.length > 1 ? running[below(random, running.length)] : undefined
}

function halves({ random, machines }: SwimSimulation): [SwimMachine[], SwimMachine[]] {
  const shuffled = sample(random, machines, machines.length)
  const size = 1 + below(random, Math.max(1, machines.length - 1))
  return [shuffled.slice(0, size), shuffled.slice(size)]
}

function startAgainLater(simulation: SwimSimulation, machine: SwimMachine): void {
  simulation.queue.after(between(simulation.random, 10, 20_000), () => {
    if (machine.life === null) simulation.start(machine)
  })
}

const faults: Readonly<Record<string, SwimFault>> = {
  loss({ network, random }) {
    network.faults.lossRate = between(random, 0.1, 0.6)
    return true
  },
  'repetition and delay'({ network, random }) {
    Object.assign(network.faults, { repeatRate: 0.3, delayRate: 0.3, delayMsMax: between(random, 50, 2_000) })
    return true
  },
  'a good network'({ network }) {
    Object.assign(network.faults, { lossRate: 0, repeatRate: 0, delayRate: 0 })
    return true
  },
  partition(simulation) {
    simulation.partition(...halves(simulation))
    return true
  },
  'one-way cut'(simulation) {
    const [left, right] = halves(simulation)
    for (const from of left) for (const to of right) simulation.cut(from, to)
    return right.length > 0
  },
  'cuts mended'({ network }) {
    network.mendAll()
    return true
  },
  crash(simulation) {
    const machine = pickRunning(simulation)
    if (machine === undefined) return false
    simulation.crash(machine)
    startAgainLater(simulation, machine)
    return true
  },
  'crash for good'(simulation, gone) {
    const machine = pickRunning(simulation)
    if (machine === undefined || simulation.running.length < simulation.machines.length / 2) return false
    gone.add(machine)
    simulation.crash(machine)
    return true
  },
  leave(simulation) {
    const machine = pickRunning(simulation)
    if (machine === undefined) return false
    simulation.leave(machine)
    startAgainLater(simulation, machine)
    return true
  },
}

export const swimFaultNames = Object.keys(faults)

/**
 * Members that crash, leave and come back on a network that loses, repeats, delays and cuts, all drawn from one seed; then a network
 * without faults, and all who run must hold exactly those who run for alive. Throws, with the command that replays it, when they do not.
 */
export function runSwimChaos(seed: number, nodes: number, durationMs: number): SwimChaosReport {
  const replay = `npm run sim -- --members --seed ${seed} --nodes ${nodes} --minutes ${durationMs / 60_000}`
  const simulation = new SwimSimulation({ seed, nodes, replay })
  const { network, random, queue } = simulation
  const gone = new Set<SwimMachine>()
  const struck = new Map<string, number>()
  while (queue.nowMs < durationMs) {
    simulation.run(between(random, 100, 4_000))
    const name = swimFaultNames[below(random, swimFaultNames.length)] as string
    if (faults[name]?.(simulation, gone)) struck.set(name, (struck.get(name) ?? 0) + 1)
  }
  network.mendAll()
  Object.assign(network.faults, { lossRate: 0, repeatRate: 0, delayRate: 0 })
  for (const machine of simulation.machines) if (machine.life === null && !gone.has(machine)) simulation.start(machine)
  return { struck, agreedMs: simulation.runUntil('all hold those who run for alive', () => simulation.isAgreed()) }
}
