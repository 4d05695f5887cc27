import { expect, test } from 'vitest'
import { adminKey, createGuardedTestbed } from './access-keys.ts'
import { createTestbed } from './testbed.ts'

interface Entry {
  readonly version: string
  readonly kind: string
  readonly key: string
  readonly namespace?: string
  readonly change: string
}

interface Page {
  readonly entries: Entry[]
  readonly nextCursor?: string
}

const changesOf = (json: unknown) => (json as Page).entries.map(({ kind, key, change }) => `${kind} ${key} ${change}`)

test('every change to flags, segments and keys is told: who, from where, when, before and after', async () => {
  const { as } = await createGuardedTestbed()
  const made = (await as(adminKey, 'POST', '/keys', { name: 'ci', role: 'write' })).json as {
    id: string
    secret: string
  }
  await as(made.secret, 'POST', '/flags', { key: 'f', description: 'one' })
  const written = await as(made.secret, 'PATCH', '/flags/f', { description: 'two' })
  await as(made.secret, 'POST', '/segments', { key: 's' })
  await as(made.secret, 'DELETE', '/flags/f')
  await as(adminKey, 'DELETE', `/keys/${made.id}`)
  const audit = await as(adminKey, 'GET', '/audit')
  expect(changesOf(audit.json)).toEqual([
    `key ${made.id} deleted`,
    'flag f deleted',
    'segment s created',
    'flag f updated',
    'flag f created',
    `key ${made.id} created`,
  ])
  expect((audit.json as Page).entries[3]).toMatchObject({
    version: (written.json as { version: string }).version,
    at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    node: '00000000000000bb',
    actor: { id: made.id, name: 'ci', from: '127.0.0.1' },
    requestId: written.headers['x-request-id'],
    namespace: 'default',
    registers: ['definition'],
    before: { key: 'f', description: 'one' },
    after: { key: 'f', description: 'two' },
  })
  expect(audit.text).not.toContain(made.secret)
})

test('an audit is narrowed by actor, key, namespace and time, and read page by page', async () => {
  const { as, makeKey } = await createGuardedTestbed()
  const ci = await makeKey({ name: 'ci', role: 'write' })
  for (const key of ['a', 'b', 'c']) await as(ci, 'POST', '/flags?namespace=team', { key })
  await as(adminKey, 'POST', '/flags', { key: 'a' })
  const audit = async (query: string) => (await as(adminKey, 'GET', `/audit?${query}`)).json as Page
  expect(changesOf(await audit('actor=ci'))).toHaveLength(3)
  expect(changesOf(await audit('key=a'))).toHaveLength(2)
  expect(changesOf(await audit('namespace=team&key=a'))).toEqual(['flag a created'])
  expect((await audit('from=2999-01-01T00:00:00Z')).entries).toEqual([])
  expect((await audit('to=2001-01-01T00:00:00%2B01:00')).entries).toEqual([])
  const first = await audit('actor=ci&limit=2')
  const second = await audit(`actor=ci&limit=2&cursor=${first.nextCursor}`)
  expect([...first.entries, ...second.entries].map(({ key }) => key)).toEqual(['c', 'b', 'a'])
  expect(second.nextCursor).toBeUndefined()
  for (const bad of ['limit=0', 'limit=x', 'from=yesterday', 'unknown=1']) {
    expect((await as(adminKey, 'GET', `/audit?${bad}`)).status).toBe(400)
  }
})

test('a confined key sees the audit and the reports of its own namespaces and environments', async () => {
  const { as, makeKey } = await createGuardedTestbed()
  for (const namespace of ['a', 'b', 'c']) {
    await as(adminKey, 'POST', `/flags?namespace=${namespace}`, {
      key: 'f',
      environments: { qa: {}, production: { enabled: true } },
    })
  }
  const secret = await makeKey({ role: 'read', namespaces: ['a', 'b'], environments: ['qa', 'staging'] })
  for (const url of ['/audit', '/reports/changes?since=2020-01-01T00:00:00Z']) {
    const answer = await as(secret, 'GET', url)
    expect(answer.status).toBe(200)
    expect(answer.text).toContain('"namespace":"b"')
    for (const hidden of ['"namespace":"c"', '"kind":"key"', 'production']) expect(answer.text).not.toContain(hidden)
  }
  expect((await as(secret, 'GET', '/audit?namespace=c')).status).toBe(403)
  expect((await as(secret, 'GET', '/audit/verify')).status).toBe(403)
  expect((await as(secret, 'GET', '/reports/diff?environments=qa,production')).status).toBe(403)
  expect((await as(secret, 'GET', '/reports/diff?environments=qa,staging')).status).toBe(200)
  const { version } = (await as(secret, 'GET', '/flags/f?namespace=a')).json as { version: string }
  const whole = await as(secret, 'GET', `/flags/f/history/${version}?namespace=a`)
  expect(whole.json).toMatchObject({ after: { environments: { qa: {} } } })
  expect(whole.text).not.toContain('production')
})

test('the log is verified, and says so', async () => {
  const { send } = await createTestbed()
  await send('POST', '/flags', { key: 'f' })
  await send('DELETE', '/flags/f')
  expect((await send('GET', '/audit/verify')).json).toMatchObject({
    intact: true,
    entries: 2,
    broken: [],
    unreadable: [],
  })
})

test.each(['flags', 'segments'] as const)(
  '%s have a history, newest first, and each version of it whole',
  async (shelf) => {
    const { send } = await createTestbed()
    await send('POST', `/${shelf}`, { key: 'a/b', description: 'one' })
    await send('PATCH', `/${shelf}/a%2Fb`, { description: 'two' })
    await send('DELETE', `/${shelf}/a%2Fb`)
    const history = (await send('GET', `/${shelf}/a%2Fb/history`)).json as { versions: Entry[] }
    expect(history.versions.map(({ change }) => change)).toEqual(['deleted', 'updated', 'created'])
    expect((await send('GET', `/${shelf}/a%2Fb/history?limit=1`)).json).toEqual({ versions: [history.versions[0]] })
    const whole = await send('GET', `/${shelf}/a%2Fb/history/${history.versions[1]?.version}`)
    expect(whole.json).toMatchObject({ before: { description: 'one' }, after: { description: 'two' } })
    expect((await send('GET', `/${shelf}/a%2Fb/history/0`)).status).toBe(404)
    expect((await send('GET', `/${shelf}/none/history`)).status).toBe(404)
  },
)

test('rolling back writes an earlier version again as a new one, with its reason, guarded by If-Match', async () => {
  const { send } = await createTestbed()
  const first = (await send('POST', '/flags', { key: 'f', description: 'one' })).json as { version: string }
  const second = (await send('PATCH', '/flags/f', { description: 'two' })).json as { version: string }
  const url = '/flags/f/rollback'
  expect((await send('POST', url, { version: first.version }, { 'if-match': first.version })).status).toBe(412)
  const back = await send(
    'POST',
    url,
    { version: first.version, reason: 'two was wrong' },
    { 'if-match': second.version },
  )
  expect(back.status).toBe(200)
  expect(back.json).toMatchObject({ description: 'one' })
  const { versions } = (await send('GET', '/flags/f/history')).json as { versions: Entry[] }
  expect(versions[0]).toMatchObject({
    change: 'rolledBack',
    reason: 'two was wrong',
    version: (back.json as Entry).version,
  })
  expect((await send('POST', url, { version: 'nothing' })).status).toBe(404)
  expect((await send('POST', url, {})).status).toBe(400)
})

test('a report tells which flags are on in one environment and off in the other, and which only serve differently', async () => {
  const { send } = await createTestbed()
  const serveOn = { fallthrough: { variation: 'on' } }
  await send('POST', '/flags', { key: 'same', enabled: true, environments: { qa: { enabled: true } } })
  await send('POST', '/flags', { key: 'switched', enabled: false, environments: { qa: { enabled: true, ...serveOn } } })
  await send('POST', '/flags', {
    key: 'targeted',
    enabled: true,
    environments: { qa: { fallthrough: { variation: 'off' } } },
  })
  await send('POST', '/flags?namespace=b', {
    key: 'other',
    enabled: true,
    environments: { production: { enabled: false } },
  })
  const report = (await send('GET', '/reports/diff?environments=qa,production')).json
  expect(report).toEqual({
    environments: ['qa', 'production'],
    switched: [
      { namespace: 'b', key: 'other', enabled: { qa: true, production: false }, differs: ['enabled'] },
      { namespace: 'default', key: 'switched', enabled: { qa: true, production: false }, differs: ['enabled'] },
    ],
    targeted: [
      { namespace: 'default', key: 'targeted', enabled: { qa: true, production: true }, differs: ['fallthrough'] },
    ],
  })
  const narrowed = (await send('GET', '/reports/diff?environments=qa,production&namespace=b')).json
  expect(narrowed).toMatchObject({ switched: [{ key: 'other' }], targeted: [] })
  expect((await send('GET', '/reports/diff?environments=qa')).status).toBe(400)
  expect((await send('GET', '/reports/diff')).status).toBe(400)
})

test('a report sums up what has changed since a moment', async () => {
  const { send } = await createTestbed()
  await send('POST', '/flags', { key: 'f' })
  await send('PATCH', '/flags/f', { enabled: true })
  await send('POST', '/segments', { key: 's' })
  const report = await send('GET', '/reports/changes?since=2020-01-01T00:00:00Z')
  expect(report.json).toMatchObject({
    changes: 3,
    by: { anonymous: 3 },
    nodes: { '00000000000000bb': 3 },
    things: [
      { kind: 'segment', key: 's', changes: 1, latest: { change: 'created' } },
      { kind: 'flag', key: 'f', changes: 2, latest: { change: 'updated' } },
    ],
  })
  expect((await send('GET', '/reports/changes?since=2999-01-01T00:00:00Z')).json).toMatchObject({
    changes: 0,
    things: [],
  })
  expect((await send('GET', '/reports/changes')).status).toBe(400)
})
