/** PEM files, which may be replaced while the node runs. */
export interface TlsFiles {
  /** The certificate and those between it and the root. */
  readonly certFile: string
  readonly keyFile: string
  /** Milliseconds between looks whether they have changed; default 5,000. */
  readonly lookMs?: number
}

/** What an operator decides about HTTP. Host and port belong to whoever calls `app.listen`. */
export interface HttpSettings {
  /** The API key that can do everything. Undefined: the node is open to whoever reaches it. */
  readonly adminKey?: string
  /** Requests a minute of an API key that sets none of its own; 0, the default, is no limit. */
  readonly rateLimitPerMinute?: number
  /** Undefined: plain HTTP. */
  readonly tls?: TlsFiles
  /** Origins that browsers may evaluate from, over OFREP; `*` is any. Default any. */
  readonly corsOrigins?: readonly string[]
}

/** Milliseconds in which a whole request must arrive: 1 MB over a slow line, and an end to clients that trickle. */
export const requestTimeoutMs = 30_000
/** Milliseconds in which the headers must arrive. */
export const headersTimeoutMs = 10_000
/** Milliseconds an idle connection stays open: longer than the 60 s of the usual load balancers, so that they close first. */
export const keepAliveTimeoutMs = 72_000
/** Milliseconds in which a TLS handshake must end. */
export const handshakeTimeoutMs = 10_000
/** Milliseconds between looks for connections that are over these times. */
export const connectionsCheckedMs = 2_000
/** Bytes of a request's headers, its URL included. */
export const headerBytesMax = 16 * 1024
/** Characters of one segment of the path: a key of 128 characters, each percent-encoded. */
export const pathSegmentCharactersMax = 3 * 128
