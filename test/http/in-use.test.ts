import { expect, test } from 'vitest'
import { createTestbed } from './testbed.ts'

const bySegment = (segment: string) => [{ if: { segment }, serve: { variation: 'on' } }]

test('a segment that is in use is not deleted, and the answer names its users', async () => {
  const { send } = await createTestbed()
  await send('POST', '/segments', { key: 'staff', included: ['u1'] })
  await send('POST', '/segments', { key: 'insiders', if: { any: [{ segment: 'staff' }] } })
  await send('POST', '/flags', { key: 'a', enabled: true, environments: { qa: { rules: bySegment('staff') } } })
  await send('POST', '/flags', { key: 'team/b', enabled: true, rules: bySegment('staff') })
  const refused = await send('DELETE', '/segments/staff')
  expect(refused.status).toBe(422)
  const message = 'names the segment "staff"'
  expect(refused.json).toMatchObject({
    code: 'INVALID',
    errors: [
      { path: 'flags.a.environments.qa.rules[0].if.segment', message },
      { path: 'flags["team/b"].rules[0].if.segment', message },
      { path: 'segments.insiders.if.any[0].segment', message },
    ],
  })
  expect((await send('GET', '/segments/staff')).status).toBe(200)
  await send('DELETE', '/segments/insiders')
  await send('DELETE', '/flags/a')
  await send('PATCH', '/flags/team%2Fb', { rules: null })
  expect((await send('DELETE', '/segments/staff')).status).toBe(204)
})

test('a flag that is a prerequisite, or is asked by a condition, is not deleted', async () => {
  const { send } = await createTestbed()
  await send('POST', '/flags', { key: 'cart', enabled: true })
  await send('POST', '/flags', { key: 'checkout', prerequisites: [{ flag: 'cart', variations: ['on'] }] })
  const rules = [{ if: { not: { flag: 'cart', variations: ['off'] } }, serve: { variation: 'on' } }]
  await send('POST', '/flags', { key: 'hint', rules })
  expect((await send('DELETE', '/flags/cart')).json).toMatchObject({
    status: 422,
    errors: [{ path: 'flags.checkout.prerequisites[0].flag' }, { path: 'flags.hint.rules[0].if.not.flag' }],
  })
  await send('DELETE', '/flags/checkout')
  await send('DELETE', '/flags/hint')
  expect((await send('DELETE', '/flags/cart')).status).toBe(204)
})

test('of many users ten are named, and all are counted', async () => {
  const { send } = await createTestbed()
  await send('POST', '/segments', { key: 'staff' })
  for (let i = 0; i < 12; i++) await send('POST', '/flags', { key: `f${i}`, rules: bySegment('staff') })
  const { json } = await send('DELETE', '/segments/staff')
  expect(json).toMatchObject({ status: 422, detail: expect.stringContaining('12 others') })
  expect((json as { errors: unknown[] }).errors).toHaveLength(10)
})

test('users in another namespace do not keep a segment of the same name', async () => {
  const { send } = await createTestbed()
  await send('POST', '/segments', { key: 'staff' })
  await send('POST', '/segments?namespace=shop', { key: 'staff' })
  await send('POST', '/flags?namespace=shop', { key: 'f', rules: bySegment('staff') })
  expect((await send('DELETE', '/segments/staff')).status).toBe(204)
})

test('an import that replaces everything may delete users and used at once, but not what it goes on using', async () => {
  const { send } = await createTestbed()
  const both = { flags: [{ key: 'f', rules: bySegment('staff') }], segments: [{ key: 'staff' }] }
  expect((await send('POST', '/import?mode=replace', both)).status).toBe(200)
  const without = { flags: both.flags }
  expect((await send('POST', '/import?mode=replace', without)).json).toMatchObject({
    status: 422,
    errors: [{ path: 'flags[0].rules[0].if.segment' }],
  })
  expect((await send('GET', '/segments/staff')).status).toBe(200)
  expect((await send('POST', '/import?mode=merge', without)).status).toBe(200)
  expect((await send('POST', '/import?mode=replace', { flags: [{ key: 'g' }] })).json).toMatchObject({
    flags: { created: 1, deleted: 1 },
    segments: { deleted: 1 },
  })
})
