import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createTestbed } from './testbed.ts'

/** The files of a node's certificate, which can be replaced. */
function createCertificate(name: string) {
  const directory = mkdtempSync(join(tmpdir(), 'flags-tls-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const [certFile, keyFile] = [join(directory, 'cert.pem'), join(directory, 'key.pem')]
  function replace(by: string): void {
    const fixture = (kind: string) => new URL(`fixtures/${by}.${kind}.pem`, import.meta.url)
    copyFileSync(fixture('cert'), certFile)
    copyFileSync(fixture('key'), keyFile)
  }
  replace(name)
  return { certFile, keyFile, replace }
}

/** Asks over a new connection; tells the status, and the name in the certificate of the server. */
function ask(port: number): Promise<{ status: number | undefined; name: string | undefined; hsts: unknown }> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1', path: '/flags', rejectUnauthorized: false, agent: false })
    asked.on('error', reject)
    asked.on('response', (response) => {
      const name = (response.socket as TLSSocket).getPeerCertificate().subject?.CN?.toString()
      response.resume()
      resolve({ status: response.statusCode, name, hsts: response.headers['strict-transport-security'] })
    })
    asked.end()
  })
}

async function listening(tls: { certFile: string; keyFile: string; lookMs: number }) {
  const bed = await createTestbed({ tls })
  await bed.app.listen({ host: '127.0.0.1', port: 0 })
  return { ...bed, port: (bed.app.server.address() as { port: number }).port }
}

test('a node with a certificate speaks HTTPS, and asks browsers to stay with it', async () => {
  const { port } = await listening({ ...createCertificate('first'), lookMs: 10 })
  expect(await ask(port)).toMatchObject({ status: 200, name: 'first', hsts: expect.stringContaining('max-age=') })
  await expect(fetch(`http://127.0.0.1:${port}/flags`)).rejects.toThrow()
})

test('a certificate that is replaced is used without a restart, and one that cannot be used changes nothing', async () => {
  const files = createCertificate('first')
  const { port, log } = await listening({ ...files, lookMs: 10 })
  writeFileSync(files.keyFile, 'not a key')
  await vi.waitFor(() => expect(JSON.stringify(log)).toContain('cannot be used'), { timeout: 10_000, interval: 10 })
  expect(await ask(port)).toMatchObject({ status: 200, name: 'first' })
  files.replace('second')
  await vi.waitFor(async () => expect(await ask(port)).toMatchObject({ status: 200, name: 'second' }), {
    timeout: 10_000,
    interval: 10,
  })
  expect(JSON.stringify(log)).not.toContain('PRIVATE KEY')
})

test('plain HTTP sends no HSTS; what is no evaluation tells browsers to keep their hands off', async () => {
  const { send } = await createTestbed()
  const read = await send('GET', '/flags')
  expect(read.headers).not.toHaveProperty('strict-transport-security')
  expect(read.headers).toMatchObject({
    'content-security-policy': "default-src 'none';frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
  })
  await send('POST', '/flags', { key: 'f' })
  expect((await send('GET', '/flags/f/evaluate')).headers).not.toHaveProperty('content-security-policy')
})
