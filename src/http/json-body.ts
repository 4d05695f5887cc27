import { isUtf8 } from 'node:buffer'
import { FlagsError } from '../base/errors.ts'
import { jsonDepthMax } from '../base/limits.ts'
import { findIllFormed } from '../evaluation/well-formed.ts'
import type { App } from './types.ts'

/** `application/json`, and its kin such as `application/merge-patch+json`. */
const jsonMediaType = /^application\/([\w.-]+\+)?json\s*(;|$)/i

/** Takes JSON bodies and no others. An empty body is no body, whatever its type says. */
export function acceptJson(app: App): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>(jsonMediaType, { parseAs: 'buffer' }, (_request, bytes, done) => {
    let value: unknown
    try {
      value = bytes.length === 0 ? undefined : parseJson(bytes)
    } catch (error) {
      done(error as Error)
      return
    }
    done(null, value)
  })
}

/**
 * Beyond the syntax this refuses what could not be stored and given back as it came: bytes that are not UTF-8, numbers that
 * overflow, half a surrogate pair, properties named `__proto__`, nesting without end. Throws MALFORMED.
 */
function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new FlagsError('MALFORMED', 'The body is not UTF-8.')
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    throw new FlagsError('MALFORMED', `The body is not JSON: ${(error as SyntaxError).message}`)
  }
  const fault = findIllFormed(value, jsonDepthMax)
  if (fault)
    throw new FlagsError('MALFORMED', `The body cannot be taken: ${fault.path} ${fault.message}.`, { faults: [fault] })
  return value
}
