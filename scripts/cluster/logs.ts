import { closeSync, openSync, readFileSync, readSync } from 'node:fs'

const followEveryMs = 100
const readBytes = 64 * 1024

/** One log, whole, each line with the name of its node. */
export function prefixedLog(path: string, index: number): string {
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines.flatMap((line) => (line === '' ? [] : [`node-${index} | ${line}\n`])).join('')
}

/** The last lines of a log. */
export function lastLines(path: string, count: number): string {
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-count).join('\n')
}

/** Writes what is added to the logs, prefixed, until the returned function is called. The nodes never wait for a reader. */
export function followLogs(
  logs: readonly { readonly index: number; readonly path: string }[],
  write: (text: string) => void,
): () => void {
  const followed = logs.map(({ index, path }) => ({ index, descriptor: openSync(path, 'r'), partial: '' }))
  const buffer = Buffer.alloc(readBytes)
  const look = () => {
    for (const log of followed) {
      for (let bytes = read(log.descriptor); bytes > 0; bytes = read(log.descriptor)) {
        const lines = (log.partial + buffer.toString('utf8', 0, bytes)).split('\n')
        log.partial = lines.pop() ?? ''
        write(lines.map((line) => `node-${log.index} | ${line}\n`).join(''))
      }
    }
  }
  const read = (descriptor: number) => readSync(descriptor, buffer, 0, readBytes, null)
  const timer = setInterval(look, followEveryMs)
  return () => {
    clearInterval(timer)
    look()
    for (const { descriptor } of followed) closeSync(descriptor)
  }
}
