import { expect, test } from 'vitest'
import { adminKey, createGuardedTestbed } from './access-keys.ts'

async function createTwoTeams() {
  const bed = await createGuardedTestbed()
  for (const namespace of ['a', 'b', 'default']) {
    const flag = { key: 'f', enabled: true, environments: { qa: { enabled: false }, production: { enabled: true } } }
    expect((await bed.as(adminKey, 'POST', `/flags?namespace=${namespace}`, flag)).status).toBe(201)
    expect((await bed.as(adminKey, 'POST', `/segments?namespace=${namespace}`, { key: 's' })).status).toBe(201)
  }
  return bed
}

test('a key confined to one namespace implies it', async () => {
  const { as, makeKey } = await createTwoTeams()
  const secret = await makeKey({ role: 'read', namespaces: ['b'] })
  expect((await as(secret, 'GET', '/flags/f')).json).toMatchObject({ namespace: 'b' })
  expect((await as(secret, 'GET', '/export')).json).toMatchObject({
    flags: [{ namespace: 'b' }],
    segments: [{ namespace: 'b' }],
  })
})

test('a key confined to several namespaces names one, and an export gives all of them', async () => {
  const { as, makeKey } = await createTwoTeams()
  const secret = await makeKey({ role: 'read', namespaces: ['b', 'a'] })
  expect((await as(secret, 'GET', '/flags/f')).status).toBe(403)
  expect((await as(secret, 'GET', '/flags/f?namespace=a')).json).toMatchObject({ namespace: 'a' })
  const exported = (await as(secret, 'GET', '/export')).json as { flags: { namespace: string }[] }
  expect(exported.flags.map((flag) => flag.namespace).sort()).toEqual(['a', 'b'])
})

test('OFREP takes namespace and environment from query, headers or the key, and lets no key out of its own', async () => {
  const { as, makeKey } = await createTwoTeams()
  const secret = await makeKey({ role: 'evaluate', namespaces: ['a'], environments: ['qa'] })
  const evaluate = (query: string, headers = {}) =>
    as(secret, 'POST', `/ofrep/v1/evaluate/flags/f${query}`, { context: {} }, headers)
  expect((await evaluate('')).json).toMatchObject({ key: 'f', reason: 'DISABLED' })
  expect((await evaluate('', { 'flags-namespace': 'a', 'flags-environment': 'qa' })).status).toBe(200)
  expect((await evaluate('', { 'flags-namespace': 'b' })).status).toBe(403)
  expect((await evaluate('', { 'flags-environment': 'production' })).status).toBe(403)
  expect((await evaluate('?namespace=b')).status).toBe(403)
  expect((await evaluate('?namespace=a', { 'flags-namespace': 'b' })).status).toBe(200)
  expect((await evaluate('?namespace=a&namespace=b')).status).toBe(400)
})

test('an evaluation for an environment that the key is not for is refused on every way to one', async () => {
  const { as, makeKey } = await createTwoTeams()
  const secret = await makeKey({ role: 'read', environments: ['qa', 'staging'] })
  for (const url of ['/flags/f/evaluate', '/features', '/ruleset', '/flags/f/audit', '/flags/f']) {
    expect([url, (await as(secret, 'GET', `${url}?environment=production`)).status]).toEqual([url, 403])
    expect([url, (await as(secret, 'GET', `${url}?environment=qa`)).status]).toEqual([url, 200])
  }
  expect((await as(secret, 'GET', '/flags/f/evaluate')).status).toBe(403)
  expect((await as(secret, 'POST', '/evaluate?environment=production', { flagKey: 'f' })).status).toBe(403)
})

test('no answer shows the settings of an environment that the key is not for', async () => {
  const { as, makeKey } = await createTwoTeams()
  const secret = await makeKey({ role: 'write', environments: ['qa', 'staging'] })
  for (const url of ['/flags', '/flags/f', '/export', '/flags/f/audit?environment=qa']) {
    const answer = await as(secret, 'GET', url)
    expect([url, answer.status]).toEqual([url, 200])
    expect(answer.text).toContain('"qa"')
    expect(answer.text).not.toContain('production')
  }
  const patched = await as(secret, 'PATCH', '/flags/f', { environments: { qa: { enabled: true } } })
  expect(patched.json).toMatchObject({ environments: { qa: { enabled: true } } })
  expect(patched.text).not.toContain('production')
})

test('a key confined to an environment changes that environment and nothing else', async () => {
  const { as, makeKey } = await createTwoTeams()
  const secret = await makeKey({ role: 'write', environments: ['qa'] })
  const before = (await as(adminKey, 'GET', '/flags/f')).json as { version: string }
  const refused = [
    ['PATCH', '/flags/f', { environments: { production: { enabled: false } } }],
    ['PATCH', '/flags/f', { enabled: false }],
    ['PATCH', '/flags/f', { description: 'x' }],
    ['PATCH', '/flags/f', { environments: { qa: { enabled: true }, production: { enabled: false } } }],
    ['PUT', '/flags/f', { enabled: true }],
    ['DELETE', '/flags/f', undefined],
    ['POST', '/flags', { key: 'g' }],
    ['POST', '/flags/f/rollout', { percentage: 10 }],
    ['POST', '/flags/f/rollout', { percentage: 10, environment: 'production' }],
    ['POST', '/segments', { key: 't' }],
    ['DELETE', '/segments/s', undefined],
    ['POST', '/import?mode=replace', { flags: [] }],
    ['POST', '/import', { flags: [{ key: 'g' }] }],
  ] as const
  for (const [method, url, body] of refused) {
    const answer = await as(secret, method, url, body)
    expect([method, url, body, answer.status]).toEqual([method, url, body, 403])
  }
  expect((await as(adminKey, 'GET', '/flags/f')).json).toEqual(before)
  expect((await as(secret, 'POST', '/flags/f/rollout', { percentage: 10, environment: 'qa' })).status).toBe(200)
  expect((await as(secret, 'PATCH', '/flags/f', { environments: { qa: { enabled: true } } })).status).toBe(200)
})

test('a key confined to a namespace cannot reach another one by what a body says', async () => {
  const { as, makeKey } = await createTwoTeams()
  const secret = await makeKey({ role: 'write', namespaces: ['a'] })
  const before = (await as(adminKey, 'GET', '/export')).json
  const documents = [
    { flags: [{ key: 'f', namespace: 'b', enabled: false }] },
    {
      flags: [
        { key: 'new', namespace: 'a' },
        { key: 'new', namespace: 'b' },
      ],
    },
    { segments: [{ key: 's', namespace: 'b' }] },
  ]
  for (const document of documents) {
    for (const mode of ['merge', 'replace']) {
      expect((await as(secret, 'POST', `/import?mode=${mode}`, document)).status).toBe(403)
    }
  }
  expect((await as(secret, 'POST', '/flags', { key: 'g', namespace: 'b' })).status).toBe(422)
  expect((await as(adminKey, 'GET', '/export')).json).toEqual(before)
  const exported = (await as(secret, 'GET', '/export')).json
  expect((await as(secret, 'POST', '/import?mode=replace', exported)).status).toBe(200)
})

test('a header opens no stream that the query would not', async () => {
  const { app, makeKey } = await createTwoTeams()
  const secret = await makeKey({ role: 'evaluate', namespaces: ['a', 'b'] })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as { port: number }
  const stop = new AbortController()
  const headers = { 'x-api-key': secret, 'flags-namespace': 'a' }
  const answer = await fetch(`http://127.0.0.1:${port}/ofrep/v1/stream`, { headers, signal: stop.signal })
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader() as ReadableStreamDefaultReader<string>
  const change = (namespace: string) =>
    app.inject({
      method: 'POST',
      url: `/flags?namespace=${namespace}`,
      payload: { key: `new-${namespace}` },
      headers: { 'x-api-key': adminKey },
    })
  let heard = ''
  const hear = async (events: number) => {
    while (heard.split('event: message').length - 1 < events) heard += (await reader.read()).value
  }
  await hear(1)
  await change('default')
  await change('a')
  await hear(2)
  const last = heard.split('id: ').at(-1)?.split('\n')[0]
  expect(last).toBe(
    (await app.inject({ url: '/features?namespace=a', headers: { 'x-api-key': adminKey } })).headers['flags-version'],
  )
  stop.abort()
})
