import { expect, test } from 'vitest'
import { fuzzApp } from './fuzz-app.ts'
import { createTestbed } from './testbed.ts'

test('whatever is made of the document is answered as documented, and never with a mistake of ours', async () => {
  const seen = await fuzzApp(await createTestbed(), {
    file: 'test/http/openapi-fuzz.test.ts',
    requests: 2_000,
    wrongIn({ statusCode, headers, body }, operation, api) {
      const fault = api.faultOf(operation, statusCode, String(headers['content-type'] ?? ''), body)
      return fault === '' && statusCode >= 500 ? 'a mistake of ours' : fault
    },
  })
  // It would prove nothing if all of them were refused at the door.
  for (const status of [200, 201, 400, 404]) expect(seen.get(status) ?? 0).toBeGreaterThan(20)
})
