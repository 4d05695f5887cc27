import { once } from 'node:events'
import { Agent, type ClientRequest, get, type IncomingMessage } from 'node:http'

interface Change {
  readonly flags: Readonly<Record<string, string | null>>
}

/** Opens `GET /stream` of a node and tells of every version that appears on it; ends with the returned request's `destroy`. */
export async function follow(
  url: string,
  onVersion: (key: string, version: string, atMs: number) => void,
): Promise<ClientRequest> {
  const request = get(`${url}/api/v1/stream`, { agent: new Agent({ keepAlive: true }) })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  if (response.statusCode !== 200) throw new Error(`${url} opens no stream: ${response.statusCode}`)
  let text = ''
  response.setEncoding('utf8').on('data', (chunk: string) => {
    const atMs = performance.now()
    const frames = (text + chunk).split('\n\n')
    text = frames.pop() ?? ''
    for (const frame of frames) {
      const data = /^data: (.*)$/m.exec(frame)?.[1]
      if (!frame.includes('event: change') || data === undefined) continue
      for (const [key, version] of Object.entries((JSON.parse(data) as Change).flags)) {
        if (version !== null) onVersion(key, version, atMs)
      }
    }
  })
  response.on('error', () => {})
  request.on('error', () => {})
  return request
}
