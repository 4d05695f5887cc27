import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connectionsMax } from '../base/limits.ts'
import {
  connectionsCheckedMs,
  handshakeTimeoutMs,
  headerBytesMax,
  headersTimeoutMs,
  keepAliveTimeoutMs,
  requestTimeoutMs,
} from './settings.ts'
import type { TlsIdentity } from './tls-identity.ts'

/** Every limit that keeps clients which are slow, idle or too many from holding a node. */
const limits: ServerOptions = {
  maxHeaderSize: headerBytesMax,
  headersTimeout: headersTimeoutMs,
  requestTimeout: requestTimeoutMs,
  keepAliveTimeout: keepAliveTimeoutMs,
  connectionsCheckingInterval: connectionsCheckedMs,
}

/** A server of ours, of HTTPS where there is an identity. */
export function createHttpServer(handler: RequestListener, tls: TlsIdentity | undefined): Server {
  const server = tls ? createHttpsServer(handler, tls) : createServer(limits, handler)
  server.maxConnections = connectionsMax
  return server
}

/** Follows the identity when its files change: connections from then on are made with the new one. */
function createHttpsServer(handler: RequestListener, tls: TlsIdentity): Server {
  const server = createTlsServer({ ...limits, ...tls.read(), handshakeTimeout: handshakeTimeoutMs }, handler)
  const unfollow = tls.follow((pem) => server.setSecureContext(pem))
  return server.once('close', unfollow)
}
