import { Readable } from 'node:stream'
import { FlagsError } from '../base/errors.ts'
import { streamBufferBytesMax, streamsMax } from '../base/limits.ts'

/** One server-sent event (WHATWG HTML, 9.2). `data` is sent as one line of JSON, `id` must not contain a line break. */
export function eventFrame(event: string, id: string, data: unknown): string {
  return `event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`
}

/** Milliseconds between comments that keep proxies from closing a quiet stream. */
const heartbeatMs = 15_000
/** Milliseconds after which a client that lost its stream comes back. */
const retryMs = 1_000

/** The open event streams of a node. */
export interface EventStreams {
  /**
   * Opens a stream with these frames, or none, in it already. It ends when `isAdmitted` has become false, which is
   * looked at with each comment and at `review`. Throws OVERLOADED.
   */
  open(frames: string, isAdmitted?: () => boolean): EventStream
  /** Ends the streams of those who are not admitted any more. */
  review(): void
  readonly count: number
  /** Ends every stream, so that the server can close. */
  close(): void
}

export interface EventStream {
  /** What the reply sends. */
  readonly body: Readable
  /** Sends a frame; a reader that lets too much wait is cut off. */
  push(frame: string): void
  /** Called once, when the reader has gone or the stream was ended. */
  onClose(listener: () => void): void
}

export function createEventStreams(): EventStreams {
  /** Those that may still be written to. */
  const bodies = new Map<Readable, () => boolean>()
  const heartbeat = setInterval(() => {
    review()
    for (const body of bodies.keys()) send(body, ': still here\n\n')
  }, heartbeatMs).unref()

  function send(body: Readable, text: string): void {
    if (body.destroyed || !bodies.has(body)) return
    body.push(text)
    if (body.readableLength > streamBufferBytesMax) body.destroy()
  }

  function end(body: Readable): void {
    bodies.delete(body)
    body.push(null)
  }

  function review(): void {
    for (const [body, isAdmitted] of bodies) if (!isAdmitted()) end(body)
  }

  return {
    review,

    open(frames, isAdmitted = everyone) {
      if (bodies.size >= streamsMax) {
        throw new FlagsError('OVERLOADED', 'This node has as many streams as it can keep. Ask another node.', {
          retryAfterSeconds: 5,
        })
      }
      const body = new Readable({ read: () => undefined })
      bodies.set(body, isAdmitted)
      body.once('close', () => bodies.delete(body))
      send(body, `retry: ${retryMs}\n\n${frames}`)
      return {
        body,
        push: (frame) => send(body, frame),
        onClose: (listener) => body.once('close', listener),
      }
    },
    get count() {
      return bodies.size
    },
    close() {
      clearInterval(heartbeat)
      for (const body of bodies.keys()) end(body)
    },
  }
}

function everyone(): boolean {
  return true
}
