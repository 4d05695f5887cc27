import { createServer } from 'node:net'

/** The first of `count` TCP ports from `basePort` on that is taken on `host`; null when all are free. */
export async function firstTakenPort(host: string, basePort: number, count: number): Promise<number | null> {
  for (let port = basePort; port < basePort + count; port++) if (!(await isFree(host, port))) return port
  return null
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    )
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}
