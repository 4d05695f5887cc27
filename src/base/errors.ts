/**
 * The catalogue of operating errors: everything that can go wrong without a programmer's mistake. A code is stable, is
 * what `problem+json` carries, and maps to one HTTP status. Whatever is not a FlagsError is a bug, and crashes or
 * answers 500.
 */
export const errorCatalogue = {
  MALFORMED: { status: 400, title: 'The request cannot be parsed or has the wrong shape' },
  LIMIT_EXCEEDED: { status: 400, title: 'The request goes over a limit' },
  UNAUTHENTICATED: { status: 401, title: 'No valid API key' },
  FORBIDDEN: { status: 403, title: 'The API key does not allow this' },
  NOT_FOUND: { status: 404, title: 'There is no such thing' },
  FLAG_NOT_FOUND: { status: 404, title: 'There is no such flag' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'The route does not take this method' },
  ALREADY_EXISTS: { status: 409, title: 'It exists already' },
  VERSION_MISMATCH: { status: 412, title: 'It has changed since you read it' },
  TOO_LARGE: { status: 413, title: 'The body is too large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'Send application/json' },
  INVALID: { status: 422, title: 'The request makes no sense' },
  RATE_LIMITED: { status: 429, title: 'Too many requests' },
  INTERNAL: { status: 500, title: 'The server made a mistake' },
  STORAGE_UNAVAILABLE: { status: 503, title: 'This node cannot store the write' },
  CLOCK_UNTRUSTED: { status: 503, title: 'The clock of this node is off' },
  OVERLOADED: { status: 503, title: 'This node has too much to do' },
  NOT_READY: { status: 503, title: 'This node is not ready' },
} as const

export type ErrorCode = keyof typeof errorCatalogue

/** One fault in the input: where (`rules[0].serve.variation`) and what is wrong with it. */
export interface InputFault {
  readonly path: string
  readonly message: string
}

/** An operating error. `message` is one plain sentence that says what to do, and what became of the state. */
export class FlagsError extends Error {
  readonly code: ErrorCode
  readonly faults: readonly InputFault[]
  readonly retryAfterSeconds: number | undefined

  constructor(
    code: ErrorCode,
    message: string,
    more: { faults?: readonly InputFault[]; retryAfterSeconds?: number } = {},
  ) {
    super(message)
    this.name = 'FlagsError'
    this.code = code
    this.faults = more.faults ?? []
    this.retryAfterSeconds = more.retryAfterSeconds
  }

  get status(): number {
    return errorCatalogue[this.code].status
  }
}
