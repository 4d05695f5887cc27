import { expect, test } from 'vitest'
import { adminKey, createGuardedTestbed, type GuardedTestbed } from './access-keys.ts'
import { fuzzApp } from './fuzz-app.ts'

/** Stands where the key must not see, and nowhere else. */
const canary = 'canary-6e1f'

/** What a key asks; no answer may tell the canary. */
function fuzz(bed: GuardedTestbed, secret: string): Promise<Map<number, number>> {
  return fuzzApp(bed, {
    file: 'test/http/confined-fuzz.test.ts',
    requests: 1_500,
    headers: { 'x-api-key': secret },
    wrongIn({ headers, body }) {
      return body.includes(canary) || JSON.stringify(headers).includes(canary) ? 'it tells the canary' : ''
    },
  })
}

// The namespaces, environments and keys are words that the fuzzer uses.
test('whatever the admin of a namespace asks, no answer tells of another one, and nothing changes in it', async () => {
  const bed = await createGuardedTestbed()
  for (const namespace of ['f', 'g']) {
    const description = namespace === 'g' ? canary : 'our own'
    const flags = ['f', 'g', 'a/b'].map((key) => ({ key, description, enabled: true, tags: [description] }))
    const segments = ['s', 'f'].map((key) => ({ key, description, included: [description] }))
    const imported = await bed.as(adminKey, 'POST', `/import?namespace=${namespace}`, { flags, segments })
    expect(imported.status).toBe(200)
  }
  await bed.makeKey({ name: canary, role: 'read', namespaces: ['g'] })
  const secret = await bed.makeKey({ role: 'admin', namespaces: ['f'], rateLimit: 0 })
  const others = () => [
    bed.catalog.exportDocument(['g']),
    bed.catalog.flags.history('g', 'f'),
    bed.catalog.keys.list().filter(({ name }) => name === canary),
  ]
  const before = others()
  const seen = await fuzz(bed, secret)
  expect(others()).toEqual(before)
  for (const status of [200, 403, 404]) expect(seen.get(status) ?? 0).toBeGreaterThan(10)
  expect(seen.get(201) ?? 0).toBeGreaterThan(0)
})

test('whatever a writer of one environment asks, no answer tells of another one, and nothing else changes', async () => {
  const bed = await createGuardedTestbed()
  const hidden = { enabled: false, rules: [{ id: canary, if: { all: [] }, serve: { variation: 'on' } }] }
  for (const key of ['f', 'g', 'a/b']) {
    const flag = { key, enabled: true, environments: { f: { enabled: true }, g: hidden } }
    expect((await bed.as(adminKey, 'POST', '/flags', flag)).status).toBe(201)
  }
  const secret = await bed.makeKey({ role: 'write', environments: ['f'], rateLimit: 0 })
  const others = () => {
    const { flags, segments } = bed.catalog.exportDocument()
    return [flags.map(({ environments: { f: _, ...rest } = {}, ...flag }) => ({ ...flag, rest })), segments]
  }
  const before = others()
  const seen = await fuzz(bed, secret)
  expect(others()).toEqual(before)
  for (const status of [200, 403, 404]) expect(seen.get(status) ?? 0).toBeGreaterThan(10)
})
