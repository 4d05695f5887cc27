import { expect, test } from 'vitest'
import { createTestbed } from './testbed.ts'

const later = 'f'.repeat(32)

test('a read that asks for no more than is here is answered at once', async () => {
  let asked = 0
  const { send } = await createTestbed({}, { requestSync: () => void asked++ })
  const { version } = (await send('POST', '/flags', { key: 'a' })).json as { version: string }
  const answer = await send('GET', '/flags/a', undefined, { 'flags-min-version': `a=${version}` })
  expect(answer.headers).not.toHaveProperty('flags-stale')
  expect(asked).toBe(0)
})

test.each(['/flags/a', '/flags/a/evaluate?user_id=u', '/features'])(
  '%s says when it could not get what the client has seen',
  async (url) => {
    let asked = 0
    const { send } = await createTestbed({}, { requestSync: () => void asked++ })
    await send('POST', '/flags', { key: 'a' })
    const answer = await send('GET', url, undefined, { 'flags-min-version': `a=${later}` })
    expect(answer.status).toBe(200)
    expect(answer.headers['flags-stale']).toBe('true')
    expect(asked).toBe(1)
  },
)

test('a read waits for the version that arrives meanwhile', async () => {
  const bed = await createTestbed(
    {},
    { requestSync: () => void bed.send('PUT', '/flags/b', { description: 'from a peer' }) },
  )
  await bed.send('POST', '/flags', { key: 'a' })
  const answer = await bed.send('GET', '/flags/b', undefined, { 'flags-min-version': `a=00, b=00` })
  expect(answer.json).toMatchObject({ description: 'from a peer' })
  expect(answer.headers).not.toHaveProperty('flags-stale')
})

test.each(['a', 'a=', '=00', 'a=xyz', Array.from({ length: 101 }, (_, i) => `k${i}=00`).join()])(
  '%s is no Flags-Min-Version',
  async (header) => {
    const { send } = await createTestbed()
    expect((await send('GET', '/flags', undefined, { 'flags-min-version': header })).status).toBe(400)
  },
)
