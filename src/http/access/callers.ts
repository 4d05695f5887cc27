import { createHash, timingSafeEqual } from 'node:crypto'
import { FlagsError } from '../../base/errors.ts'
import { authenticatedKeysMax, failingNetworksMax, failuresPerMinuteMax, refusedSecretsMax } from '../../base/limits.ts'
import { type Role, roles } from '../../catalog/api-keys.ts'
import type { Catalog, Confinement } from '../../catalog/ports.ts'
import { type RateWindow, RateWindows } from './rate-limit.ts'

/** The holder of an API key. */
export interface Caller extends Confinement {
  readonly id: string
  readonly name: string
  readonly role: Role
}

/** A key that was checked, with what it has used. */
export interface Credential {
  readonly caller: Caller
  /** The role as a number: a higher one includes the lower. */
  readonly rank: number
  readonly isConfined: boolean
  /** Wall clock. */
  readonly expiresAtMs: number
  /** Requests a minute; 0 is no limit. */
  readonly limit: number
  readonly window: RateWindow
}

/** Knows who holds which secret. */
export interface Callers {
  /**
   * The credential of a secret. Throws UNAUTHENTICATED, and RATE_LIMITED to an address that keeps guessing; `from` is asked for its
   * address by failures alone, because finding it costs more than the rest.
   */
  authenticate(secret: string, nowMs: number, from: { readonly ip: string }): Credential
  /** Whether the key of a caller that was let in is still in force. */
  isInForce(caller: Caller, nowMs: number): boolean
}

export interface CallersParts {
  readonly adminKey: string
  readonly keys: Pick<Catalog['keys'], 'authenticate' | 'isInForce' | 'onChange'>
  /** For keys that set none of their own. */
  readonly rateLimitPerMinute: number
}

/** Longer ones are guesses each time: what strangers send is not to fill the memory. */
const rememberedCharsMax = 256

/**
 * The admin key of the settings, and the replicated keys. A secret is hashed once and then remembered by its text, until any key
 * changes: hashing costs more than evaluating. To look it up in a Map is not constant in time, but what it compares byte by
 * byte is an entry of the same hash, and that hash is seeded in each process: no answer tells how much of a guess was right.
 */
export function createCallers({ adminKey, keys, rateLimitPerMinute }: CallersParts): Callers {
  const known = new Map<string, Credential>()
  // To repeat a wrong secret is no guess: a service that goes on with a revoked key must not lock out the admin beside it.
  const refused = new Set<string>()
  const windows = new RateWindows(authenticatedKeysMax)
  const failures = new RateWindows(failingNetworksMax)
  const adminHash = sha256(adminKey)
  const admin: Caller = { id: 'admin', name: 'admin', role: 'admin' }
  keys.onChange(() => {
    known.clear()
    refused.clear()
  })

  function credentialOf(caller: Caller, limit: number, expiresAtMs: number): Credential {
    const isConfined = Boolean(caller.namespaces ?? caller.environments)
    return { caller, rank: roles.indexOf(caller.role), isConfined, expiresAtMs, limit, window: windows.of(caller.id) }
  }

  function check(secret: string, nowMs: number, from: { readonly ip: string }): Credential {
    const key = keys.authenticate(secret, nowMs)
    if (key) {
      const { id, name, role, namespaces, environments, expiresAt } = key
      const expiresAtMs = expiresAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(expiresAt)
      return credentialOf(
        { id, name, role, namespaces, environments },
        key.rateLimit ?? rateLimitPerMinute,
        expiresAtMs,
      )
    }
    // A made key has 256 random bits and cannot be guessed. The admin key was chosen by someone: guesses are counted.
    const failed = failures.of(networkOf(from.ip))
    if (failed.used(nowMs) >= failuresPerMinuteMax) {
      throw new FlagsError(
        'RATE_LIMITED',
        'Too many unknown API keys came from this address. Wait, then send a valid one.',
        {
          retryAfterSeconds: failed.secondsLeft(nowMs),
        },
      )
    }
    if (timingSafeEqual(sha256(secret), adminHash)) {
      return credentialOf(admin, rateLimitPerMinute, Number.POSITIVE_INFINITY)
    }
    failed.use(nowMs)
    if (refused.size >= refusedSecretsMax) refused.clear()
    if (secret.length <= rememberedCharsMax) refused.add(secret)
    throw unknownKey()
  }

  return {
    isInForce: ({ id }, nowMs) => id === admin.id || keys.isInForce(id, nowMs),

    authenticate(secret, nowMs, from) {
      const held = known.get(secret)
      if (held && nowMs < held.expiresAtMs) return held
      if (refused.has(secret)) throw unknownKey()
      const credential = check(secret, nowMs, from)
      if (known.size >= authenticatedKeysMax) known.clear()
      known.set(secret, credential)
      return credential
    },
  }
}

function unknownKey(): FlagsError {
  return new FlagsError('UNAUTHENTICATED', 'This API key is not known, or no longer. Ask an admin for another.')
}

/** Compared as hashes, so that both sides are of one length, whatever was sent. */
function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** An IPv4 address, or the /64 of an IPv6 address: whoever has one IPv6 address usually has all of its /64. */
function networkOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address
  const [head = ''] = address.split('::')
  return head.split(':').slice(0, 4).join(':')
}
