import { FlagsError } from '../base/errors.ts'
import { UsageError } from '../settings.ts'

/** A command failed; the message is what people read, one sentence that says what to do. */
export class CommandError extends Error {}

/** What people are told of an error. A programmer's mistake keeps its stack, for whoever has to find it. */
export function explain(error: unknown): string {
  if (error instanceof CommandError || error instanceof UsageError || error instanceof FlagsError) return error.message
  if (!(error instanceof Error)) return String(error)
  const { code, port, address } = error as NodeJS.ErrnoException & { port?: number; address?: string }
  if (code === 'EADDRINUSE') return `${address}:${port} is in use: stop what listens there, or choose another --port.`
  if (code === 'EADDRNOTAVAIL') return `This machine has no address ${address}: choose another --host.`
  if (code === 'EACCES' && port !== undefined) return `Port ${port} needs privileges: choose a --port of 1024 or more.`
  return error.stack ?? error.message
}
