import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import type { App } from '../../src/http/types.ts'
import { createTestbed } from './testbed.ts'

async function listen(app: App): Promise<number> {
  await app.listen({ host: '127.0.0.1', port: 0 })
  return (app.server.address() as AddressInfo).port
}

async function answerTo(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  let text = ''
  socket.on('data', (chunk: string) => {
    text += chunk
  })
  socket.write(request)
  await once(socket, 'end', { signal: AbortSignal.timeout(10_000) })
  socket.destroy()
  return text
}

test.each([
  ['something that is not HTTP', 'hello\r\n\r\n', '400 Bad Request'],
  [
    'headers beyond the limit',
    `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`,
    '431 Request Header Fields Too Large',
  ],
  [
    'two lengths',
    'POST /flags HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    '400 Bad Request',
  ],
])('%s is answered with a problem, and the connection closed', async (_what, request, status) => {
  const { app } = await createTestbed()
  const answer = await answerTo(await listen(app), request)
  expect(answer).toContain(`HTTP/1.1 ${status}\r\n`)
  expect(answer).toContain('application/problem+json')
  const [, body = ''] = answer.split('\r\n\r\n')
  expect(JSON.parse(body)).toMatchObject({ status: Number(status.slice(0, 3)), code: 'MALFORMED' })
})

test('closing finishes the request in flight', async () => {
  const { app, send } = await createTestbed()
  await send('POST', '/flags', { key: 'a', enabled: true })
  const port = await listen(app)
  const body = JSON.stringify({ flagKey: 'a' })
  const socket: Socket = connect(port, '127.0.0.1').setEncoding('utf8')
  await once(socket, 'connect')
  const head = `POST /evaluate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
  socket.write(head + body.slice(0, 5))
  await once(app.server, 'request')
  let text = ''
  socket.on('data', (chunk: string) => {
    text += chunk
  })
  const closed = app.close()
  socket.write(body.slice(5))
  await once(socket, 'close', { signal: AbortSignal.timeout(10_000) })
  await closed
  expect(text).toContain('HTTP/1.1 200 OK')
  expect(text).toContain('"value":true')
})

test('time limits are in force, so that slow clients cannot hold the node', async () => {
  const { app } = await createTestbed()
  expect(app.server.headersTimeout).toBe(10_000)
  expect(app.server.requestTimeout).toBe(30_000)
  expect(app.server.keepAliveTimeout).toBe(72_000)
})
