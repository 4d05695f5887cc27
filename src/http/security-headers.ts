import helmet, { type FastifyHelmetOptions } from '@fastify/helmet'
import type { App } from './types.ts'

/**
 * Headers that tell browsers to do nothing with an answer but read it. Not on evaluations: nothing shows those as pages, and the
 * dozen headers would cost more than the answer. Pages bring a policy of their own.
 */
export async function protectBrowsers(app: App, { tls }: { readonly tls: boolean }): Promise<void> {
  app.addHook('onRoute', (route) => {
    if (route.config?.role === 'evaluate' || route.config?.hot) route.helmet = false
  })
  const options: FastifyHelmetOptions = {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    // Browsers would take it for all ports of the host; so only where this one speaks TLS.
    strictTransportSecurity: tls,
  }
  await app.register(helmet, options)
}
