import { connect, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { createTestbed } from './testbed.ts'

async function listening() {
  const { app, send } = await createTestbed()
  await send('POST', '/flags', { key: 'f', enabled: true })
  await app.listen({ host: '127.0.0.1', port: 0 })
  // A fiftieth of the real times, so that the test can wait for their end.
  app.server.headersTimeout /= 50
  app.server.requestTimeout /= 50
  const { port } = app.server.address() as { port: number }
  return { port, evaluate: () => fetch(`http://127.0.0.1:${port}/flags/f/evaluate`) }
}

/** What the server says, and that it hangs up. */
interface Conversation {
  readonly socket: Socket
  readonly end: Promise<string>
}

function open(port: number, said = ''): Conversation {
  const socket = connect(port, '127.0.0.1', () => said !== '' && socket.write(said))
  onTestFinished(() => void socket.destroy())
  let heard = ''
  socket.on('data', (bytes) => {
    heard += bytes.toString()
  })
  const end = new Promise<string>((resolve) => {
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(heard))
  })
  return { socket, end }
}

const head = 'POST /flags HTTP/1.1\r\nHost: x\r\n'

test('slow clients are hung up on, and evaluation for others goes on meanwhile', async () => {
  const { port, evaluate } = await listening()
  const slow = Array.from({ length: 200 }, (_, i) => {
    if (i % 3 === 0) return open(port)
    return open(port, i % 3 === 1 ? head : `${head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{`)
  })
  const drip = setInterval(() => {
    for (const { socket } of slow) if (socket.writable && socket.bytesWritten > 0) socket.write('X')
  }, 50)
  onTestFinished(() => clearInterval(drip))
  let served = 0
  let hungUp = 0
  for (const { end } of slow) void end.then(() => hungUp++)
  while (hungUp < slow.length) {
    const answer = await evaluate()
    expect(answer.status).toBe(200)
    await answer.arrayBuffer()
    served++
  }
  expect(served).toBeGreaterThan(0)
  for (const said of await Promise.all(slow.map(({ end }) => end))) expect(said).toMatch(/^$|^HTTP\/1.1 408 /)
})

test('headers that are too long are answered with 431, and cost nobody else anything', async () => {
  const { port, evaluate } = await listening()
  const long = Array.from({ length: 20 }, () =>
    open(port, `GET /flags HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(32_768)}\r\n\r\n`),
  )
  for (const { end } of long) expect(await end).toMatch(/^HTTP\/1.1 431 /)
  expect((await evaluate()).status).toBe(200)
})

test('idle connections keep nobody from being served', async () => {
  const { port, evaluate } = await listening()
  const idle = Array.from({ length: 500 }, () => open(port))
  await Promise.all(idle.map(({ socket }) => new Promise((resolve) => socket.once('connect', resolve))))
  expect((await evaluate()).status).toBe(200)
  await Promise.all(idle.map(({ end }) => end))
})
