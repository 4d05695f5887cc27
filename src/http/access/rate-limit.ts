import type { FastifyReply } from 'fastify'
import { FlagsError } from '../../base/errors.ts'

const windowMs = 60_000

/**
 * Requests in the present minute, for one key or address. A fixed window that begins with its first request: two numbers, where
 * a sliding one would keep a list; at worst twice the limit passes around the end of a window.
 */
export class RateWindow {
  #endsMs = 0
  #used = 0

  /** Counts one more. `nowMs` is the wall clock: one that is set back must not keep a window open for longer than a minute. */
  use(nowMs: number): number {
    if (nowMs >= this.#endsMs || this.#endsMs > nowMs + windowMs) {
      this.#endsMs = nowMs + windowMs
      this.#used = 0
    }
    return ++this.#used
  }

  /** Requests counted in the present minute. */
  used(nowMs: number): number {
    return nowMs >= this.#endsMs ? 0 : this.#used
  }

  secondsLeft(nowMs: number): number {
    return Math.max(1, Math.ceil((this.#endsMs - nowMs) / 1_000))
  }
}

/**
 * Requests a minute from which on a key is told of its limit only when half of it is used up: a thousand evaluations a second,
 * of which three headers would be a tenth of the cost. Whoever has less cannot send so many that it matters.
 */
const quietLimitMin = 60_000

/** Counts a request of a key, and tells it where it stands in the `RateLimit-*` headers. Throws RATE_LIMITED. */
export function countRequest(window: RateWindow, limit: number, nowMs: number, reply: FastifyReply): void {
  const used = window.use(nowMs)
  if (limit >= quietLimitMin && used <= limit / 2) return
  const secondsLeft = window.secondsLeft(nowMs)
  // As texts: Node would look at numbers twice.
  reply
    .header('ratelimit-limit', String(limit))
    .header('ratelimit-remaining', used < limit ? String(limit - used) : '0')
    .header('ratelimit-reset', String(secondsLeft))
  if (used > limit) {
    throw new FlagsError('RATE_LIMITED', `This key has used its ${limit} requests of this minute.`, {
      retryAfterSeconds: secondsLeft,
    })
  }
}

/**
 * One window for each of many names, of which the ones that were not seen for longest are forgotten: in two generations, so
 * that a flood of new names costs no more than a look-up each.
 */
export class RateWindows {
  readonly #generationMax: number
  #young = new Map<string, RateWindow>()
  #old = new Map<string, RateWindow>()

  constructor(max: number) {
    this.#generationMax = max / 2
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  of(name: string): RateWindow {
    const held = this.#young.get(name)
    if (held) return held
    const window = this.#old.get(name) ?? new RateWindow()
    if (this.#young.size >= this.#generationMax) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(name, window)
    return window
  }
}
