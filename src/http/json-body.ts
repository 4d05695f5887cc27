import { isUtf8 } from 'node:buffer'
import { FlagsError, type InputFault } from '../base/errors.ts'
import { jsonDepthMax } from '../base/limits.ts'
import type { App } from './types.ts'

/**
 * Takes JSON bodies, under `application/json` and its kin (`application/merge-patch+json`), and nothing else. Beyond the
 * syntax it refuses what could not be stored and given back as it came: bytes that are not UTF-8, numbers that overflow,
 * half a surrogate pair, members named `__proto__`, depth without end. An empty body is no body, whatever its type says.
 */
export function acceptJson(app: App): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>(
    /^application\/([\w.-]+\+)?json(\s*;|$)/i,
    { parseAs: 'buffer' },
    (request, bytes, done) => {
      if (bytes.length === 0) {
        done(null, undefined)
        return
      }
      if (!isUtf8(bytes)) {
        done(new FlagsError('MALFORMED', 'The body is not UTF-8.'))
        return
      }
      parse(request, bytes.toString('utf8'), (error, value) => {
        if (error) {
          done(new FlagsError('MALFORMED', `The body is not JSON that this server takes: ${error.message}`))
          return
        }
        const fault = uncarriable(value, jsonDepthMax)
        if (fault)
          done(
            new FlagsError('MALFORMED', `The body cannot be taken: ${fault.path} ${fault.message}.`, {
              faults: [fault],
            }),
          )
        else done(null, value)
      })
    },
  )
}

/** The first place in `value` that no node could store and give back unchanged; undefined when there is none. */
export function uncarriable(value: unknown, levelsLeft: number): InputFault | undefined {
  if (typeof value === 'string')
    return value.isWellFormed() ? undefined : { path: '', message: 'has half a surrogate pair' }
  if (typeof value === 'number')
    return Number.isFinite(value) ? undefined : { path: '', message: 'is too large a number' }
  if (typeof value !== 'object' || value === null) return undefined
  if (levelsLeft === 0) return { path: '', message: `nests deeper than ${jsonDepthMax} levels` }
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const fault = uncarriable(value[i], levelsLeft - 1)
      if (fault) return { path: join(`[${i}]`, fault.path), message: fault.message }
    }
    return undefined
  }
  for (const name in value) {
    if (!name.isWellFormed()) return { path: name.toWellFormed(), message: 'has half a surrogate pair in its name' }
    const fault = uncarriable((value as Record<string, unknown>)[name], levelsLeft - 1)
    if (fault) return { path: join(name, fault.path), message: fault.message }
  }
  return undefined
}

function join(head: string, tail: string): string {
  return tail === '' || tail.startsWith('[') ? head + tail : `${head}.${tail}`
}
