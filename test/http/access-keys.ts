import type { NewApiKey } from '../../src/catalog/api-keys.ts'
import { type Answer, createTestbed, type Testbed } from './testbed.ts'

export const adminKey = 'an-admin-key-for-tests'

export interface GuardedTestbed extends Testbed {
  /** Makes a key and returns its secret. */
  makeKey(key: Partial<NewApiKey>): Promise<string>
  /** Sends a request with a key; the admin key when none is given. */
  as(secret: string, ...request: Parameters<Testbed['send']>): Promise<Answer>
}

/** The HTTP API with keys in force. */
export async function createGuardedTestbed(...args: Parameters<typeof createTestbed>): Promise<GuardedTestbed> {
  const [settings, more] = args
  const bed = await createTestbed({ adminKey, ...settings }, more)
  return {
    ...bed,
    async makeKey(key) {
      const actor = { id: 'admin', name: 'admin', from: 'test' }
      return (await bed.catalog.keys.create({ name: 'test', role: 'read', ...key }, { actor })).secret
    },
    as: (secret, method, url, body, headers) => bed.send(method, url, body, { ...headers, 'x-api-key': secret }),
  }
}
