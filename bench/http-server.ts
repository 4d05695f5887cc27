import type { AddressInfo } from 'node:net'
import { fastify } from 'fastify'
import { pino } from 'pino'
import { createApp } from '../src/http/app.ts'
import { createMemoryCatalog } from '../test/http/memory-catalog.ts'

/**
 * The process that bench/http.ts drives: our API with 1,000 flags, and bare Fastify routes that send an object of the same
 * size. Tells its parent where they listen, and on request how much processor time it has used.
 */

const flagsCount = 1_000
const evaluatePath = '/api/v1/flags/flag-500/evaluate?user_id=user-1&country=DE&plan=pro'

const { catalog } = createMemoryCatalog()
const flags = Array.from({ length: flagsCount }, (_, i) => ({
  key: `flag-${i}`,
  description: `Flag number ${i}`,
  enabled: true,
  rules: [{ if: { attribute: 'plan', op: 'in', values: ['free', 'team'] }, serve: { variation: 'off' } }],
  rolloutPercentage: 50,
}))
await catalog.importDocument({ flags }, 'merge', 'default', { actor: { id: 'bench', name: 'bench', from: '' } })

const app = await createApp({
  catalog,
  node: {
    id: '00000000000000bb',
    address: '127.0.0.1:7946',
    url: '',
    members: () => [],
    conflicts: () => 0,
    tombstones: () => 0,
    notReady: () => null,
    storageFailure: () => null,
    isolated: () => false,
    onArrival: () => undefined,
    counters: () => ({}),
  },
  settings: {},
  logger: pino({ level: 'info' }),
  receiveBulk: () => false,
  requestSync: () => undefined,
})

const answer: unknown = (await app.inject(evaluatePath)).json()
const bare = fastify()
for (const path of ['/api/v1/flags/:key/evaluate', '/bare'])
  bare.get(path, (_request, reply) => {
    reply.send(answer)
  })

await app.listen({ host: '127.0.0.1', port: 0 })
await bare.listen({ host: '127.0.0.1', port: 0 })
const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port

process.on('message', () => process.send?.({ cpuUs: cpuUs() }))
process.on('disconnect', () => process.exit())
process.send?.({
  evaluate: `http://127.0.0.1:${portOf(app.server)}${evaluatePath}`,
  bare: `http://127.0.0.1:${portOf(bare.server)}${evaluatePath}`,
  short: `http://127.0.0.1:${portOf(bare.server)}/bare`,
  answer,
})

function cpuUs(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}
