import { randomInt } from 'node:crypto'
import type { LightMyRequestResponse } from 'fastify'
import { expect } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import { type DocumentedOperation, type OpenApi, readOpenApi } from './openapi-document.ts'
import { fuzzRequests } from './openapi-fuzz.ts'
import type { Testbed } from './testbed.ts'

export interface AppFuzz {
  /** The test file, for the command that replays the seed. */
  readonly file: string
  readonly requests: number
  /** Sent with each request, beside those that the fuzzer makes. */
  readonly headers?: Record<string, string>
  /** What is wrong with the answer; '' for nothing. */
  wrongIn(answer: LightMyRequestResponse, operation: DocumentedOperation, api: OpenApi): string
}

/** Sends requests made from the document, none of which may be answered wrongly; returns how many were answered in which way. */
export async function fuzzApp(
  { app, send }: Pick<Testbed, 'app' | 'send'>,
  fuzz: AppFuzz,
): Promise<Map<number, number>> {
  const seed = Number(process.env.FUZZ_SEED ?? randomInt(2 ** 32))
  console.log(`FUZZ_SEED=${seed} npx vitest run ${fuzz.file}`)
  const api = readOpenApi((await send('GET', '/openapi.json')).text)
  const requests = fuzzRequests(api, seededRandom(seed))
  const seen = new Map<number, number>()
  for (let i = 0; i < fuzz.requests; i++) {
    const { operation, url, headers: made, body } = requests.next().value
    if (operation.path.endsWith('/stream')) continue
    const headers = { ...made, ...fuzz.headers }
    const answer = await app.inject({ method: operation.method, url, headers, payload: body })
    const { statusCode: status } = answer
    const wrong = fuzz.wrongIn(answer, operation, api)
    const text = wrong === '' ? '' : answer.body
    const what = { seed, i, name: operation.name, url, headers, body: body?.toString(), status, text }
    expect({ ...what, wrong }).toEqual({ ...what, wrong: '' })
    seen.set(status, (seen.get(status) ?? 0) + 1)
  }
  return seen
}
