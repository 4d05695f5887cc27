import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type Logger, pino } from 'pino'
import { createArrivals } from './arrivals.ts'
import type { Now } from './base/clock.ts'
import type { Random } from './base/random.ts'
import { type CatalogParts, createCatalog } from './catalog/catalog.ts'
import { isGenuine } from './catalog/log-entry.ts'
import type { Catalog } from './catalog/ports.ts'
import { type Config, memoryOnly } from './config.ts'
import { createApp } from './http/app.ts'
import { createMesh, type Mesh } from './mesh/mesh.ts'
import { describeNode } from './node-view.ts'
import type { Replica, ReplicaEvent } from './replica/ports.ts'
import { createReplica } from './replica/replica.ts'
import { replicaEffects } from './replica-effects.ts'
import { MemoryStore } from './storage/memory-store.ts'
import { SqliteStore } from './storage/sqlite-store.ts'
import { meterStore } from './store-meter.ts'

/** So long a node without peers waits for discovery before it says that it is ready: three of its first announcements. */
const discoveryGraceMs = 1_000
/** How often a starting node looks whether it is ready. */
const lookEveryMs = 25

export interface RunningNode {
  readonly id: string
  /** Base URL of the HTTP API as peers reach it. */
  readonly url: string
  readonly logger: Logger
  /** Stops accepting, finishes what is in flight, says goodbye to the mesh, closes the store. */
  stop(): Promise<void>
}

/** Composes one node: constructs the adapters, joins them to the core, and starts them in the order of their needs. */
export async function startNode(config: Config): Promise<RunningNode> {
  const logger = pino({ level: config.logLevel, base: undefined })
  // The store opens in its thread while the socket is bound.
  const opened = config.dataDir === memoryOnly ? new MemoryStore() : new SqliteStore(config.dataDir)
  const loaded = await opened.load()
  const { store, counters: storeCounters } = meterStore(opened, () => performance.now())
  if (loaded.salvaged)
    logger.error({ moved: loaded.salvaged }, 'the database was corrupt: moved aside, beginning anew from the peers')
  const mesh = await createMesh({
    host: config.host,
    port: config.meshPort,
    portFixed: config.meshPortFixed,
    advertise: config.advertise,
    cluster: config.cluster,
    keyring: config.meshKeyring,
    multicast: config.multicast,
    seeds: config.seeds,
    nodeId: loaded.nodeId,
    random,
    logger,
  })

  const replica: Replica = createReplica({
    self: mesh.address,
    id: loaded.nodeId,
    random,
    logEntriesMax: config.logEntriesMax,
    isGenuine: (record) => isGenuine(record, secrets.sha256),
    effects: replicaEffects({
      mesh,
      store,
      now,
      replica: () => replica,
      onEvent: (event) => onEvent(event),
      onForgotten: (keys) => catalog.onForgotten(keys),
      onFailure: (message, error) => logger.error({ err: error }, message),
    }),
  })
  const catalog = createCatalog({
    replica,
    nodeId: loaded.nodeId,
    now,
    delay: (ms) => delay(ms, undefined, { ref: false }),
    secrets,
    logEntriesMax: config.logEntriesMax,
  })

  const readiness = createReadiness(mesh, replica, loaded.records.length === 0)
  const arrivals = createArrivals({ replica, now, sinceWallMs: now().wallMs })
  function onEvent(event: ReplicaEvent): void {
    catalog.onReplicaEvent(event)
    arrivals.onEvent(event)
    readiness.onEvent(event)
    logEvent(logger, event)
    if (event.type === 'changed' && !event.local && logger.isLevelEnabled('debug'))
      logArrivals(logger, catalog, event.keys)
  }

  replica.start(now(), loaded)
  catalog.load()

  const tracing = config.tracing ? await (await import('./tracing.ts')).startTracing(process.env) : undefined
  const node = describeNode({
    id: loaded.nodeId,
    mesh,
    store,
    storeCounters,
    replica,
    arrivals,
    monotonicMs: () => performance.now(),
    notReady: readiness.reason,
  })
  const app = await createApp({
    catalog,
    node,
    settings: {
      adminKey: config.adminKey,
      rateLimitPerMinute: config.rateLimitPerMinute,
      tls: config.tls,
      corsOrigins: config.corsOrigins,
    },
    logger,
    receiveBulk: (body) => mesh.receiveBulk(body),
    requestSync: () => replica.requestSync(now()),
    instrument: tracing?.instrument,
  })
  await app.listen({ host: config.host, port: config.port })
  const { port } = app.server.address() as { port: number }
  const url = `${config.tls ? 'https' : 'http'}://${mesh.advertisedHost.includes(':') ? `[${mesh.advertisedHost}]` : mesh.advertisedHost}:${port}`

  mesh.onPacket((from, packet) => replica.onPacket(now(), from, packet))
  mesh.onBulk((from, frame) => replica.onBulk(now(), from, frame))
  mesh.membership.onMember((event) => {
    logger.info({ member: event.id, address: event.address }, `member ${event.type}`)
    replica.onMember(now(), event)
  })
  await mesh.start(url)
  logger.info({ url, mesh: mesh.address, node: loaded.nodeId, flags: catalog.ruleset.size().flags }, 'listening')
  readiness.whenReady(() => logger.info({ url, root: replica.root(), startMs: Math.round(performance.now()) }, 'ready'))

  return {
    id: loaded.nodeId,
    url,
    logger,
    async stop() {
      await app.close()
      await mesh.stop()
      await store.close()
      await tracing?.stop()
      logger.info('stopped')
    },
  }
}

function now(): Now {
  return { monotonicMs: performance.now(), wallMs: Date.now() }
}

const random: Random = pooledRandom()

/** The system's randomness, drawn in blocks: every gossiped packet picks its receivers, and a draw costs as much as a packet. */
function pooledRandom(): Random {
  let block = randomBytes(0)
  let at = 0
  return {
    uint32() {
      if (at === block.length) [block, at] = [randomBytes(4 * 1024), 0]
      at += 4
      return block.readUInt32LE(at - 4)
    },
  }
}

const secrets: CatalogParts['secrets'] = {
  newId: () => randomBytes(8).toString('hex'),
  newSecret: () => randomBytes(32).toString('base64url'),
  sha256: (input) => hash('sha256', input, 'hex'),
  equal: (a, b) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b)),
}

interface Readiness {
  /** null when ready, else why not. */
  reason(): string | null
  onEvent(event: ReplicaEvent): void
  /** Calls back once: when ready. */
  whenReady(callback: () => void): void
}

/**
 * Ready: the stored state is loaded, and a peer has been synced with or nobody answered for discoveryGraceMs. A node that knows nothing would
 * only say that there are no flags, so it has more patience: its time is counted in looks, which a process that gets no processor does
 * not take, as it has not listened either.
 */
function createReadiness(mesh: Mesh, replica: Replica, knowsNothing: boolean): Readiness {
  let ready = false
  let callback = () => {}
  function become(): void {
    if (ready) return
    ready = true
    callback()
  }
  return {
    reason: () => (ready ? null : 'waiting for discovery: peers may have newer flags than the stored ones'),
    onEvent(event) {
      if (event.type === 'synced') become()
    },
    whenReady(then) {
      callback = then
      const startedMs = performance.now()
      let looks = 0
      const look = setInterval(() => {
        looks++
        const waitedMs = knowsNothing ? looks * lookEveryMs : performance.now() - startedMs
        const root = replica.root()
        const agrees = replica.peers().some((peer) => peer.root === root)
        const alone = mesh.membership.members().length === 0 && waitedMs > discoveryGraceMs
        // A peer that is there and never syncs must not keep a node from answering what it knows.
        const late = waitedMs > (knowsNothing ? 60 : 10) * discoveryGraceMs
        if (agrees || alone || late) become()
        if (ready) clearInterval(look)
      }, lookEveryMs)
      look.unref()
    },
  }
}

/** Changes made at other nodes, by the ids of the requests that made them. */
function logArrivals(logger: Logger, { log }: Catalog, registerKeys: readonly string[]): void {
  for (const registerKey of registerKeys) {
    const entry = log.entry(registerKey)
    if (!entry) continue
    const { requestId: reqId, node, namespace, noun, key, change, version } = entry
    logger.debug({ reqId, node, namespace, kind: noun, key, change, version }, 'change arrived')
  }
}

function logEvent(logger: Logger, event: ReplicaEvent): void {
  if (event.type === 'conflict') {
    logger.warn(
      { register: event.winner.key, winner: event.winner.stamp, loser: event.loser.stamp },
      'a write lost to one whose author had not seen it',
    )
  } else if (event.type === 'clock') {
    const message = event.trusted
      ? 'the clock agrees with the peers again'
      : 'the clock is off against the peers: writes are refused, evaluation goes on'
    logger[event.trusted ? 'info' : 'error']({ offsetMs: Math.round(event.offsetMs) }, message)
  } else if (event.type === 'synced') {
    logger.debug({ with: event.with, received: event.received, sent: event.sent }, 'synced')
  } else if (event.type === 'forged') {
    logger.error(
      { registers: event.keys.slice(0, 10), count: event.keys.length },
      'forged entries of the audit log were refused',
    )
  } else if (event.type === 'refused') {
    logger.error({ reason: event.reason }, 'a write could not be stored')
  }
}
