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
  /** Opens a stream with these frames, or none, in it already. Throws OVERLOADED. */
  open(frames: string): EventStream
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
  const bodies = new Set<Readable>()
  const heartbeat = setInterval(() => {
    for (const body of bodies) send(body, ': still here\n\n')
  }, heartbeatMs).unref()

  return {
    open(frames) {
      if (bodies.size >= streamsMax) {
        throw new FlagsError('OVERLOADED', 'This node has as many streams as it can keep. Ask another node.', {
          retryAfterSeconds: 5,
        })
      }
      const body = new Readable({ read: () => undefined })
      bodies.add(body)
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
      for (const body of bodies) body.push(null)
    },
  }
}

function send(body: Readable, text: string): void {
  if (body.destroyed || body.readableEnded) return
  body.push(text)
  if (body.readableLength > streamBufferBytesMax) body.destroy()
}
