import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { FlagsError } from '../base/errors.ts'
import { problemMediaType, problemOf, toFlagsError } from './problem.ts'
import { headerBytesMax } from './settings.ts'
import type { App } from './types.ts'

export type ErrorHandler = (error: unknown, request: FastifyRequest, reply: FastifyReply) => void

/** Answers any error as `application/problem+json`, and logs those that are ours: 5xx, with the request's id. */
export function problemHandler(logger: Logger): ErrorHandler {
  return (error, request, reply) => {
    const known = toFlagsError(error)
    logServerError(logger, error, known, request)
    if (known.retryAfterSeconds !== undefined) reply.header('retry-after', String(Math.ceil(known.retryAfterSeconds)))
    if (known.status === 401) reply.header('www-authenticate', 'Bearer')
    reply
      .code(known.status)
      .header('content-type', problemMediaType)
      .send(JSON.stringify(problemOf(known, known.status >= 500 ? request.id : undefined)))
  }
}

/** A mistake of ours with its stack at `error`; a state that passes (503) at `warn`; what clients do wrong not at all. */
export function logServerError(logger: Logger, error: unknown, known: FlagsError, request: FastifyRequest): void {
  const where = { reqId: request.id, method: request.method, route: request.routeOptions.url }
  if (known.code === 'INTERNAL') logger.error({ ...where, err: error }, 'request failed')
  else if (known.status >= 500) logger.warn({ ...where, code: known.code }, known.message)
}

export function answerUnknownRoutes(app: App): void {
  app.setNotFoundHandler(() => {
    throw new FlagsError('NOT_FOUND', 'There is no such route. GET /openapi.json lists them.')
  })
}

/** Answers what Node's parser refuses before there is a request: bad syntax, headers too long or too slow. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
  const detail = {
    400: 'This is not HTTP.',
    408: 'The request took too long to arrive.',
    431: `Headers and URL together may have ${headerBytesMax} bytes.`,
  }[status]
  const title = STATUS_CODES[status] ?? ''
  const body = JSON.stringify({ status, title, detail, code: 'MALFORMED' })
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: ${problemMediaType}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}
