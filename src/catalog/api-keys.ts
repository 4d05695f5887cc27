import { FlagsError } from '../base/errors.ts'
import type { RegisterRecord } from '../crdt/register.ts'
import { wallMsOf } from '../crdt/stamp.ts'
import type { Replica } from '../replica/ports.ts'
import type { ChangeLog } from './change-log.ts'
import type { DurableWrites } from './durable-writes.ts'
import type { LoggedChange } from './log-entry.ts'
import type { Confinement, WriteOptions } from './write-options.ts'

/** Each role may do what the ones before it may. */
export const roles = ['evaluate', 'read', 'write', 'admin'] as const
export type Role = (typeof roles)[number]

/** What is known of an API key; never its secret. */
export interface ApiKey extends Confinement {
  /** 16 lowercase hex digits; part of the secret, so that a secret names the key it claims to be. */
  readonly id: string
  readonly name: string
  readonly role: Role
  /** Requests a minute at one node; absent for the setting's, 0 for no limit. */
  readonly rateLimit?: number
  /** RFC 3339; absent for never. */
  readonly expiresAt?: string
  readonly createdAt: string
  readonly createdBy: string
}

export type NewApiKey = Pick<ApiKey, 'name' | 'role' | 'namespaces' | 'environments' | 'rateLimit' | 'expiresAt'>

/** Cryptography that the composition root lends; this room imports nothing of Node's. */
export interface KeySecrets {
  /** 16 lowercase hex digits. */
  newId(): string
  /** 256 random bits as base64url. */
  newSecret(): string
  /** SHA-256 as hex. */
  sha256(text: string): string
  /** Compares two hex digests of the same length in constant time. */
  equal(a: string, b: string): boolean
}

/** API keys as replicated registers: made, listed and revoked at any node, in force on all within a gossip. */
export interface ApiKeys {
  /** The secret is in the answer and nowhere else. */
  create(key: NewApiKey, options: WriteOptions): Promise<{ key: ApiKey; secret: string }>
  /** Sorted by creation. */
  list(): readonly ApiKey[]
  revoke(id: string, options: WriteOptions): Promise<void>
  /** The key of this secret, or undefined: unknown, revoked or expired at `nowMs` (wall clock). */
  authenticate(secret: string, nowMs: number): ApiKey | undefined
  /** Whether there is a key of this id that is neither revoked nor expired at `nowMs` (wall clock). */
  isInForce(id: string, nowMs: number): boolean
  /** After keys were made or revoked, on any node: what `authenticate` found may be out of date. Returns the way to stop listening. */
  onChange(listener: () => void): () => void
  /** Registers that changed; others than the keys' are ignored. */
  onChanged(keys: readonly string[]): void
}

export interface ApiKeysParts {
  readonly replica: Pick<Replica, 'get'>
  readonly writes: DurableWrites
  readonly log: ChangeLog
  readonly secrets: KeySecrets
}

interface StoredKey {
  readonly key: ApiKey
  readonly hash: string
  readonly expiresAtMs: number
}

const prefix = 'apikey|'
const secretPattern = /^flags_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/
const encoder = new TextEncoder()
const decoder = new TextDecoder()

export function createApiKeys({ replica, writes, log, secrets }: ApiKeysParts): ApiKeys {
  const keys = new Map<string, StoredKey>()
  const listeners = new Set<() => void>()

  return {
    async create(wanted, options) {
      const id = secrets.newId()
      const secret = `flags_${id}_${secrets.newSecret()}`
      const hash = secrets.sha256(secret)
      const value = encoder.encode(JSON.stringify({ schema: 1, by: options.actor.name, hash, data: wanted }))
      const deed = { namespace: '', noun: 'key', key: id, change: 'created', before: null, after: wanted } as const
      const entry = log.register({ ...deed, ...authorOf(options), registers: ['key'] })
      await writes.write([{ key: prefix + id, value }, entry], options.ack)
      const stored = keys.get(id)
      if (!stored)
        throw new FlagsError('NOT_FOUND', `The key "${options.actor.name}" made was revoked at once by another node.`)
      return { key: stored.key, secret }
    },

    list: () => [...keys.values()].map((stored) => stored.key).sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1)),

    async revoke(id, options) {
      const held = replica.get(prefix + id)
      if (!held?.value)
        throw new FlagsError('NOT_FOUND', `There is no API key with the id "${id}". GET /keys lists them.`)
      const deed = { namespace: '', noun: 'key', key: id, change: 'deleted', before: held.stamp, after: null } as const
      const entry = log.register({ ...deed, ...authorOf(options), registers: ['key'] })
      await writes.write([{ key: prefix + id, value: null }, entry], options.ack)
    },

    authenticate(secret, nowMs) {
      const id = secretPattern.exec(secret)?.[1]
      const stored = id === undefined ? undefined : keys.get(id)
      if (!stored || !secrets.equal(secrets.sha256(secret), stored.hash)) return undefined
      return nowMs < stored.expiresAtMs ? stored.key : undefined
    },

    isInForce: (id, nowMs) => nowMs < (keys.get(id)?.expiresAtMs ?? 0),

    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },

    onChanged(changed) {
      const own = changed.filter((registerKey) => registerKey.startsWith(prefix))
      if (own.length === 0) return
      for (const registerKey of own) {
        const id = registerKey.slice(prefix.length)
        const record = replica.get(registerKey)
        const stored = record && readKey(id, record)
        if (stored) keys.set(id, stored)
        else keys.delete(id)
      }
      for (const listener of listeners) listener()
    },
  }
}

function authorOf({ actor, reason, requestId }: WriteOptions): Pick<LoggedChange, 'actor' | 'reason' | 'requestId'> {
  return { actor, reason, requestId }
}

/** A register that cannot be read opens nothing: it is as if the key had been revoked. */
function readKey(id: string, record: RegisterRecord): StoredKey | undefined {
  if (!record.value) return undefined
  try {
    const { by, hash, data } = JSON.parse(decoder.decode(record.value)) as { by: string; hash: string; data: NewApiKey }
    if (!roles.includes(data.role) || typeof hash !== 'string') return undefined
    const createdAt = new Date(wallMsOf(record.stamp)).toISOString()
    const expiresAtMs = data.expiresAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(data.expiresAt)
    return { key: { ...data, id, createdAt, createdBy: by }, hash, expiresAtMs }
  } catch {
    return undefined
  }
}
