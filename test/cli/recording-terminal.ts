import type { Terminal } from '../../src/cli/terminal.ts'

/** A terminal that nobody watches, and what it was told. */
export function recordingTerminal(): { terminal: Terminal; told: { out: string; err: string } } {
  const told = { out: '', err: '' }
  const terminal: Terminal = {
    out: (text) => {
      told.out += text
    },
    err: (text) => {
      told.err += text
    },
    watched: false,
  }
  return { terminal, told }
}
