import { lookup } from 'node:dns/promises'
import type { Random } from '../base/random.ts'
import type { Address } from '../replica/ports.ts'
import { type Endpoint, formatAddress } from './address.ts'
import { Backoff } from './backoff.ts'
import type { MeshLogger } from './logger.ts'

export interface SeedOptions {
  readonly seeds: readonly Endpoint[]
  /** Of this node's own socket, which reaches no other. */
  readonly family: 4 | 6
  readonly random: Random
  readonly logger: MeshLogger
  readonly isLive: (address: Address) => boolean
  readonly join: (addresses: readonly Address[]) => void
}

export interface SeedDiscovery {
  stop(): void
}

/** A name may come to mean other machines; also how long a name that is not yet known is waited for at most. */
const resolveEveryMs = 60_000
/** A name that the network does not know yet (containers that start together) is asked for again soon. */
const resolveFailedMs = 2_000
const tickMs = 250
/** Addresses that the names may have all together. */
const addressesMax = 1_000
/** Addresses tried at one tick. */
const joinsMax = 8

/** Tries the addresses of all seeds until they are members, and again whenever they are not. */
export function startSeedDiscovery({ seeds, family, random, logger, isLive, join }: SeedOptions): SeedDiscovery {
  const backoff = new Backoff({ firstMs: 250, lastMs: 10_000, random })
  const resolved = new Map<Endpoint, readonly Address[]>()
  const timers = new Set<NodeJS.Timeout>()
  let stopped = false

  const resolve = async (seed: Endpoint): Promise<void> => {
    let waitMs = resolveEveryMs
    try {
      const found = await lookup(seed.host, { all: true, family })
      resolved.set(
        seed,
        found.map(({ address }) => formatAddress({ host: address, port: seed.port })),
      )
    } catch (error) {
      // What it was before is still worth trying.
      logger.debug({ seed: seed.host, error: String(error) }, 'the name of a seed is not known')
      waitMs = resolveFailedMs
    }
    if (stopped) return
    const timer = setTimeout(() => {
      timers.delete(timer)
      void resolve(seed)
    }, waitMs)
    timers.add(timer)
  }

  const tick = () => {
    const wanted = [...resolved.values()].flat().slice(0, addressesMax)
    join(
      backoff.due(
        performance.now(),
        wanted.filter((address) => !isLive(address)),
        joinsMax,
      ),
    )
  }

  for (const seed of seeds) void resolve(seed).then(tick)
  timers.add(setInterval(tick, tickMs))
  return {
    stop() {
      stopped = true
      for (const timer of timers) clearTimeout(timer)
    },
  }
}
