import { afterEach } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { type RunningNode, startNode } from '../../src/node.ts'

const running: RunningNode[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((node) => node.stop()))
})

export interface RealNode {
  readonly url: string
  /** Sends JSON, and throws when the answer is no success. */
  call(method: string, path: string, body?: unknown): Promise<unknown>
}

/** A whole node, alone in its mesh, that keeps nothing; on loopback, on ports that the system chooses. */
export async function startRealNode(): Promise<RealNode> {
  const options = {
    '--port': '0',
    '--mesh-port': '0',
    '--multicast': 'off',
    '--data-dir': ':memory:',
    '--log-level': 'silent',
  }
  const node = await startNode(readConfig(Object.entries(options).flat(), {}))
  running.push(node)
  return {
    url: node.url,
    async call(method, path, body) {
      const response = await fetch(node.url + path, {
        method,
        headers: body === undefined ? {} : { 'content-type': 'application/json' },
        body: body === undefined ? undefined : JSON.stringify(body),
      })
      const text = await response.text()
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
      return text === '' ? undefined : JSON.parse(text)
    },
  }
}
