import type { Terminal } from './terminal.ts'

/** Nothing is drawn before: what is quick needs no bar. */
const quietMs = 400
const drawEveryMs = 100
const barCharacters = 30

export interface Progress {
  /** Bytes that have been sent of those announced. */
  sent(bytes: number): void
  /** Wipes the bar. */
  stop(): void
}

/** A bar for an upload of `bytesTotal`, drawn on `terminal.err` when someone watches and it takes long. */
export function startProgress(terminal: Terminal, bytesTotal: number): Progress {
  let bytesSent = 0
  let drawn = false
  const startedMs = performance.now()
  const draw = () => {
    const elapsedMs = performance.now() - startedMs
    if (elapsedMs < quietMs) return
    drawn = true
    const share = bytesTotal === 0 ? 1 : bytesSent / bytesTotal
    const filled = Math.round(share * barCharacters)
    const bar = '#'.repeat(filled).padEnd(barCharacters, '.')
    const stage = share < 1 ? 'sending' : 'the node checks and stores it'
    terminal.err(`\r\x1b[K[${bar}] ${Math.round(share * 100)} %  ${Math.round(elapsedMs / 1000)} s  ${stage}`)
  }
  const timer = terminal.watched ? setInterval(draw, drawEveryMs) : undefined
  return {
    sent(bytes) {
      bytesSent = bytes
    },
    stop() {
      clearInterval(timer)
      if (drawn) terminal.err('\r\x1b[K')
    },
  }
}
