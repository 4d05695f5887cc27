import { randomInt } from 'node:crypto'
import { expect, test } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import { readOpenApi } from './openapi-document.ts'
import { fuzzRequests } from './openapi-fuzz.ts'
import { createTestbed } from './testbed.ts'

const requestsCount = 2_000

test('whatever is made of the document is answered as documented, and never with a mistake of ours', async () => {
  const seed = Number(process.env.FUZZ_SEED ?? randomInt(2 ** 32))
  console.log(`FUZZ_SEED=${seed} npx vitest run test/http/openapi-fuzz.test.ts`)
  const { app, send } = await createTestbed()
  const api = readOpenApi((await send('GET', '/openapi.json')).text)
  const requests = fuzzRequests(api, seededRandom(seed))
  const seen = new Map<number, number>()
  for (let i = 0; i < requestsCount; i++) {
    const { operation, url, headers, body } = requests.next().value
    if (operation.path.endsWith('/stream')) continue
    const answer = await app.inject({ method: operation.method, url, headers, payload: body })
    const { statusCode, body: text } = answer
    const fault = api.faultOf(operation, statusCode, String(answer.headers['content-type'] ?? ''), text)
    const what = {
      seed,
      i,
      name: operation.name,
      url,
      headers,
      body: body?.toString(),
      statusCode,
      text: text.slice(0, 500),
    }
    expect({ ...what, fault, mistake: statusCode >= 500 }).toEqual({ ...what, fault: '', mistake: false })
    seen.set(statusCode, (seen.get(statusCode) ?? 0) + 1)
  }
  // It would prove nothing if all of them were refused at the door.
  for (const status of [200, 201, 400, 404]) expect(seen.get(status) ?? 0).toBeGreaterThan(20)
})
