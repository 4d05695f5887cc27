import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'

export interface Heard {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly apiKey: string | string[] | undefined
  readonly body: string
}

export interface FakeNode {
  readonly url: string
  readonly heard: readonly Heard[]
}

/** A server that gives one answer to everything and remembers what it was asked; it ends with the test. */
export async function startFakeNode(status: number, answer: unknown): Promise<FakeNode> {
  const heard: Heard[] = []
  const server = createServer(async (request: IncomingMessage, response) => {
    const { method, url, headers } = request
    heard.push({ method, url, apiKey: headers['x-api-key'], body: await text(request) })
    response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json' })
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heard }
}
