import { type ErrorCode, errorCatalogue, FlagsError, type InputFault } from '../base/errors.ts'

/** An error as RFC 9457 (problem details) has it, with our stable `code`. */
export interface Problem {
  readonly status: number
  readonly title: string
  readonly detail: string
  readonly code: ErrorCode
  readonly errors?: readonly InputFault[]
  /** Names the request in the logs of this node. */
  readonly requestId?: string
}

export const problemMediaType = 'application/problem+json; charset=utf-8'

export function problemOf(error: FlagsError, requestId?: string): Problem {
  const { status, title } = errorCatalogue[error.code]
  return {
    status,
    title,
    detail: error.message,
    code: error.code,
    ...(error.faults.length > 0 && { errors: error.faults }),
    ...(requestId !== undefined && { requestId }),
  }
}

/** Fastify's own errors in the words of our catalogue; any other status below 500 is MALFORMED. */
const codeOfStatus: Readonly<Record<number, ErrorCode>> = {
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  413: 'TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  429: 'RATE_LIMITED',
}

const detailOfFastifyCode: Readonly<Record<string, string>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'The body is larger than this route takes. Send less at once.',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'Send the body as JSON, with the header Content-Type: application/json.',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'The body is not as long as Content-Length says. Send it again.',
  FST_ERR_BAD_URL: 'The path is not well percent-encoded.',
  FST_ERR_MAX_PARAM_LENGTH: 'A segment of the path is longer than any key.',
}

/** Any error as one of ours; whatever is not an operating error becomes INTERNAL, and is a bug. */
export function toFlagsError(error: unknown): FlagsError {
  if (error instanceof FlagsError) return error
  const { statusCode, code, message } = error as { statusCode?: unknown; code?: unknown; message?: unknown }
  const isClients = typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500
  const ours = isClients ? (codeOfStatus[statusCode] ?? 'MALFORMED') : undefined
  if (ours === undefined)
    return new FlagsError('INTERNAL', 'The server made a mistake; its log says more under this request id.')
  const detail = typeof code === 'string' ? detailOfFastifyCode[code] : undefined
  return new FlagsError(ours, detail ?? String(message))
}
