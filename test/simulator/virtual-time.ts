import { type Random, unit } from '../../src/base/random.ts'
import type { EventQueue } from './event-queue.ts'

type Callback = (...args: unknown[]) => void

/** What a library holds of a timer: it may clear it, and tell that it need not keep the process alive. */
interface VirtualTimer {
  readonly unref: () => VirtualTimer
  isCleared: boolean
}

/**
 * Runs `run` with the timers, the monotonic clock and the randomness of a library that takes them from the process replaced by those of
 * the simulation. `run` must be synchronous: when it returns, all is as it was. What it left waiting happens when the queue steps within a
 * later call.
 */
export function inVirtualTime<T>(queue: EventQueue, random: Random, run: () => T): T {
  const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate } = globalThis
  const timers = { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate }
  const now = performance.now
  const mathRandom = Math.random
  Object.assign(globalThis, virtualTimers(queue))
  performance.now = () => queue.nowMs
  Math.random = () => unit(random)
  try {
    return run()
  } finally {
    Object.assign(globalThis, timers)
    performance.now = now
    Math.random = mathRandom
  }
}

function virtualTimers(queue: EventQueue) {
  const clear = (timer: VirtualTimer | undefined) => {
    if (timer !== undefined) timer.isCleared = true
  }
  const once = (callback: Callback, delayMs = 0, ...args: unknown[]) => {
    const timer = newTimer()
    queue.after(delayMs, () => {
      if (!timer.isCleared) callback(...args)
    })
    return timer
  }
  const again = (callback: Callback, gapMs = 0, ...args: unknown[]) => {
    const timer = newTimer()
    const wait = () =>
      queue.after(Math.max(1, gapMs), () => {
        if (timer.isCleared) return
        wait()
        callback(...args)
      })
    wait()
    return timer
  }
  const soon = (callback: Callback, ...args: unknown[]) => once(callback, 0, ...args)
  return {
    setTimeout: once,
    clearTimeout: clear,
    setInterval: again,
    clearInterval: clear,
    setImmediate: soon,
    clearImmediate: clear,
  }
}

function newTimer(): VirtualTimer {
  const timer: VirtualTimer = { isCleared: false, unref: () => timer }
  return timer
}
