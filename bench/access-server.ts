import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import type { NodeView } from '../src/catalog/ports.ts'
import { createApp } from '../src/http/app.ts'
import { createMemoryCatalog } from '../test/http/memory-catalog.ts'

/**
 * The process that bench/access.ts drives: one catalog behind two APIs, one open, one with an admin key, a rate limit and a
 * hundred keys. Tells its parent where they listen, and on request how much processor time it has used.
 */

const flagsCount = 1_000
const keysCount = 100
const evaluatePath = '/api/v1/flags/flag-500/evaluate?user_id=user-1&country=DE&plan=pro'

const { catalog } = createMemoryCatalog()
const options = { actor: { id: 'bench', name: 'bench', from: '' } }
const flags = Array.from({ length: flagsCount }, (_, i) => ({
  key: `flag-${i}`,
  enabled: true,
  rules: [{ if: { attribute: 'plan', op: 'in', values: ['free', 'team'] }, serve: { variation: 'off' } }],
  rolloutPercentage: 50,
}))
await catalog.importDocument({ flags }, 'merge', 'default', options)
const secrets: string[] = []
for (let i = 0; i < keysCount; i++) {
  const made = await catalog.keys.create(
    { name: `key ${i}`, role: 'evaluate', namespaces: ['default'], environments: ['default'], rateLimit: 10_000_000 },
    options,
  )
  secrets.push(made.secret)
}

const node: NodeView = {
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
}
const parts = {
  catalog,
  node,
  logger: pino({ level: 'info' }),
  receiveBulk: () => false,
  requestSync: () => undefined,
}
const open = await createApp({ ...parts, settings: {} })
const guarded = await createApp({
  ...parts,
  settings: { adminKey: 'an-admin-key-for-the-bench', rateLimitPerMinute: 1_000 },
})

await open.listen({ host: '127.0.0.1', port: 0 })
await guarded.listen({ host: '127.0.0.1', port: 0 })
const urlOf = (app: typeof open) => `http://127.0.0.1:${(app.server.address() as AddressInfo).port}${evaluatePath}`

process.on('message', () => process.send?.({ cpuUs: cpuUs() }))
process.on('disconnect', () => process.exit())
process.send?.({ open: urlOf(open), guarded: urlOf(guarded), secret: secrets[keysCount / 2] })

function cpuUs(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}
