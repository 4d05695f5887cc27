import helmet, { type FastifyHelmetOptions } from '@fastify/helmet'
import type { App } from './types.ts'

/** Headers that tell browsers to do nothing with the answers of a scope but read them. Pages bring a policy of their own. */
export async function protectBrowsers(scope: App, { tls }: { readonly tls: boolean }): Promise<void> {
  const options: FastifyHelmetOptions = {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    // Browsers would take it for all ports of the host; so only where this one speaks TLS.
    strictTransportSecurity: tls,
  }
  await scope.register(helmet, options)
}
