/** Source of randomness that the caller owns, so that one seed replays everything. */
export interface Random {
  /** Uniform in [0, 2^32). */
  uint32(): number
}

/** Uniform integer in [0, bound); bound is 1..2^32. */
export function below(random: Random, bound: number): number {
  return Math.floor((random.uint32() / 0x1_0000_0000) * bound)
}

/** Uniform in [0, 1). */
export function unit(random: Random): number {
  return random.uint32() / 0x1_0000_0000
}

/** `bytes` random bytes as lowercase hex. */
export function randomHex(random: Random, bytes: number): string {
  let text = ''
  for (let i = 0; i < bytes; i++) text += below(random, 256).toString(16).padStart(2, '0')
  return text
}

/** Up to `count` different items, in random order (partial Fisher-Yates on a copy). */
export function sample<T>(random: Random, items: readonly T[], count: number): T[] {
  const pool = [...items]
  const take = Math.min(count, pool.length)
  for (let i = 0; i < take; i++) {
    const j = i + below(random, pool.length - i)
    const held = pool[i] as T
    pool[i] = pool[j] as T
    pool[j] = held
  }
  return pool.slice(0, take)
}

/** A generator that a seed determines: splitmix32 (Steele, Lea, Flood 2014, in its 32-bit form). Not for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return {
    uint32() {
      state = (state + 0x9e3779b9) >>> 0
      let z = state
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
      return (z ^ (z >>> 15)) >>> 0
    },
  }
}
