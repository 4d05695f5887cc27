import { expect, type TestContext, test } from 'vitest'
import { deadMembersMax, membersMax } from '../../src/base/limits.ts'
import { seededRandom } from '../../src/base/random.ts'
import { Drops } from '../../src/mesh/drops.ts'
import { SwimMembership } from '../../src/mesh/swim-membership.ts'
import { encodeSwimPayload, swimTypes } from '../../src/mesh/swim-messages.ts'

/** A membership whose datagrams go into lists. */
function lone(context: TestContext) {
  const swim: string[] = []
  const hellos: string[] = []
  const drops = new Drops()
  const membership = new SwimMembership({
    id: '00000000000000aa',
    address: '10.0.0.1:1',
    incarnation: 100,
    random: seededRandom(1),
    drops,
    sendSwim: (to) => swim.push(to),
    sendHello: (to) => hellos.push(to),
    announce() {},
  })
  membership.start('http://10.0.0.1:80')
  context.onTestFinished(() => membership.leave())
  return { membership, swim, hellos, drops }
}

const hello = { id: '00000000000000bb', url: 'http://10.0.0.2:8080', incarnation: 1, viewDigest: 0 }

function update(host: string, more: object): Uint8Array {
  const data = { host, state: 0, incarnation: 1, meta: { id: hello.id, url: hello.url, left: false }, ...more }
  return Buffer.concat([Buffer.from([swimTypes.update]), encodeSwimPayload(data)])
}

const goodbye = { state: 2, meta: { id: hello.id, url: hello.url, left: true } }

test('a flood of invented members is bounded', (context) => {
  const { membership } = lone(context)
  for (let i = 0; i < membersMax + 500; i++) membership.onHello(`host-${i}:7946`, hello, 'group')
  expect(membership.members()).toHaveLength(membersMax)
})

test('of members that come and go by the thousand, the latest are remembered', (context) => {
  const { membership } = lone(context)
  const events: string[] = []
  membership.onMember((event) => events.push(event.type))
  for (let i = 0; i < 3_000; i++) {
    membership.onHello(`host-${i}:7946`, hello, 'group')
    membership.onSwim(`host-${i}:7946`, update(`host-${i}:7946`, goodbye))
  }
  expect(events).toHaveLength(6_000)
  const members = membership.members()
  expect(members).toHaveLength(deadMembersMax)
  expect(members.every(({ state }) => state === 'left')).toBe(true)
  expect(members.at(-1)?.address).toBe('host-2999:7946')
})

test('an announcement with the view that we hold is not answered, another one is', (context) => {
  const { membership, swim } = lone(context)
  const digestOf = (sent: Uint8Array) =>
    (JSON.parse(Buffer.from(sent).toString()) as [string, string, number, number])[3]
  membership.onHello('10.0.0.2:1', { ...hello, viewDigest: digestOf(membership.hello()) }, 'us')
  expect(swim).not.toEqual([])
  swim.length = 0
  membership.onHello('10.0.0.2:1', { ...hello, viewDigest: digestOf(membership.hello()) }, 'us')
  expect(swim).toEqual([])
})

test('strangers cannot make a node probe or answer a third party', (context) => {
  const { membership, swim, drops } = lone(context)
  const message = (type: number, data: unknown) => Buffer.concat([Buffer.from([type]), encodeSwimPayload(data)])
  membership.onSwim('10.0.0.9:1', message(swimTypes.pingreq, { seq: 1, destination: '10.0.0.3:1' }))
  const sync = { host: '10.0.0.3:1', state: 0, incarnation: 1, meta: { id: hello.id, url: hello.url, left: false } }
  membership.onSwim('10.0.0.9:1', message(swimTypes.sync, sync))
  expect(swim).toEqual([])
  expect(drops.counts().malformed).toBe(1)
})

test('what others say of us is refuted to whoever said it', (context) => {
  const { membership, swim } = lone(context)
  membership.onSwim('10.0.0.2:1', update('10.0.0.1:1', { state: 1, incarnation: 100 }))
  expect(membership.self.incarnation).toBe(101)
  expect(swim).toEqual(['10.0.0.2:1'])
})

test('a death that others tell of a member we hold alive begins a suspicion, and no burial', (context) => {
  const { membership } = lone(context)
  membership.onHello('10.0.0.2:1', hello, 'group')
  for (let i = 0; i < 3; i++) membership.onSwim('10.0.0.3:1', update('10.0.0.2:1', { state: 2 }))
  expect(membership.find('10.0.0.2:1')?.state).toBe('suspect')
  membership.onSwim('10.0.0.2:1', update('10.0.0.2:1', { incarnation: 2 }))
  expect(membership.find('10.0.0.2:1')?.state).toBe('alive')
})

test('a probe from someone whom we hold dead is answered by telling so', (context) => {
  const { membership, swim } = lone(context)
  membership.onHello('10.0.0.2:1', hello, 'group')
  membership.onSwim('10.0.0.2:1', update('10.0.0.2:1', goodbye))
  swim.length = 0
  membership.onSwim('10.0.0.2:1', Buffer.concat([Buffer.from([swimTypes.ping]), encodeSwimPayload({ seq: 1 })]))
  expect(swim).toEqual(['10.0.0.2:1', '10.0.0.2:1'])
})
