import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { FlagsError } from '../../base/errors.ts'
import type { CollectedRoute } from '../openapi/route-collector.ts'
import type { App } from '../types.ts'

/** The files of swagger-ui that the page needs; the page itself is ours. */
const assets: Readonly<Record<string, string>> = {
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'swagger-ui.css': 'text/css; charset=utf-8',
}

const startScript = `SwaggerUIBundle({ url: new URL('../openapi.json', location.href).href, dom_id: '#api', deepLinking: true })`

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Flags: the API</title>
<base href="docs/"><link rel="stylesheet" href="swagger-ui.css">
</head>
<body><div id="api"></div><script src="swagger-ui-bundle.js"></script><script src="start.js"></script></body>
</html>
`

/** Everything comes from this node; styles are written into the page by swagger-ui itself. */
const policy = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    baseUri: ["'self'"],
    connectSrc: ["'self'"],
    frameAncestors: ["'none'"],
    imgSrc: ["'self'", 'data:'],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
  },
}

export interface DocsParts {
  /** Complete once the server listens. */
  readonly routes: readonly CollectedRoute[]
  /** The program's. */
  readonly version: string
}

/** `GET /openapi.json` and `GET /docs`, made when they are first asked for. */
export function docsRoutes(app: App, { routes, version }: DocsParts): void {
  let document: Promise<string> | undefined

  app.get('/openapi.json', async (_request, reply) => {
    document ??= import('../openapi/document.ts').then(({ describeApi }) => describeApi(routes, version))
    return reply.header('content-type', 'application/json; charset=utf-8').send(await document)
  })

  app.get('/docs', { helmet: { contentSecurityPolicy: policy } }, async (_request, reply) =>
    reply.header('content-type', 'text/html; charset=utf-8').send(page),
  )

  app.get('/docs/:asset', { schema: { params: z.object({ asset: z.string() }) } }, async (request, reply) => {
    const { asset } = request.params
    reply.header('cache-control', 'public, max-age=3600')
    if (asset === 'start.js') return reply.header('content-type', 'text/javascript; charset=utf-8').send(startScript)
    const type = Object.hasOwn(assets, asset) ? assets[asset] : undefined
    if (type === undefined) throw new FlagsError('NOT_FOUND', `The documentation has no file "${asset}".`)
    const path = fileURLToPath(import.meta.resolve(`@fastify/swagger-ui/static/${asset}`))
    return reply.header('content-type', type).send(await readFile(path))
  })
}
