import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { startNode, uniqueCluster } from '../e2e/harness/node-process.ts'

test('where the variables of OpenTelemetry ask for it, a collector gets a trace of each request', async () => {
  const received: { url: string | undefined; body: string }[] = []
  const collector = createServer(async (request, response) => {
    received.push({ url: request.url, body: await text(request) })
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void collector.close())
  const { port } = collector.address() as AddressInfo
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_SERVICE_NAME: 'flags-under-test',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=a%20test',
    FLAGS_ADMIN_KEY: 'an-admin-key-for-tests',
  }
  const node = await startNode({ dataDir: ':memory:', cluster: uniqueCluster(), env })
  const headers = { 'x-api-key': env.FLAGS_ADMIN_KEY }
  expect((await fetch(`${node.url}/flags/none`, { headers })).status).toBe(404)
  expect((await fetch(`${node.url}/flags/none/evaluate`, { headers })).status).toBe(404)
  expect(await node.end('SIGTERM')).toBe(0)

  expect(received.map(({ url }) => url)).toContain('/v1/traces')
  const sent = received.map(({ body }) => body).join()
  for (const part of ['flags-under-test', 'a test', '/flags/:key', '/flags/:key/evaluate']) expect(sent).toContain(part)
  expect(sent).not.toContain(env.FLAGS_ADMIN_KEY)
})
