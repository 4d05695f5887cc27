import { parentPort, workerData } from 'node:worker_threads'
import { recordPageBytes } from '../base/limits.ts'
import type { RegisterRecord } from '../crdt/register.ts'
import { DataDirectory } from './data-directory.ts'
import type { Reply, Request, Step, WorkerTask } from './protocol.ts'
import { packRecords, unpackRecords } from './record-page.ts'
import { CorruptFileError, type RegisterFile, sqliteCodeOf, sqliteCodes } from './register-file.ts'

/** The storage thread: everything that may wait for a disk happens here. Started by sqlite-store.ts. */
if (parentPort === null) throw new Error('storage/worker.ts runs as a worker thread')
const port = parentPort
const { directory } = workerData as WorkerTask

try {
  serve(openAndSend(new DataDirectory(directory)))
} catch (error) {
  send({ type: 'refused', reason: reasonOf(error) })
}

/** Opens the database and sends what it holds; one that proves broken is moved aside, and an empty one takes its place. */
function openAndSend(home: DataDirectory): RegisterFile {
  let salvaged: string | null = null
  for (;;) {
    let file: RegisterFile | null = null
    try {
      file = home.open()
      sendPages(file.records())
      send({ type: 'opened', nodeId: file.node.id, notes: file.node.notes, salvaged })
      return file
    } catch (error) {
      file?.close()
      if (!(error instanceof CorruptFileError) || salvaged !== null) throw error
      salvaged = home.moveAside()
    }
  }
}

function sendPages(records: Iterable<RegisterRecord>): void {
  let page: RegisterRecord[] = []
  let bytes = 0
  const flush = () => {
    const packed = packRecords(page)
    port.postMessage({ type: 'page', page: packed } satisfies Reply, [packed.values.buffer])
    page = []
    bytes = 0
  }
  for (const record of records) {
    page.push(record)
    bytes += record.key.length + (record.value?.length ?? 0)
    if (bytes >= recordPageBytes) flush()
  }
  flush()
}

function serve(file: RegisterFile): void {
  port.on('message', (request: Request) => {
    if (request.type === 'commit') return send({ type: 'committed', failure: commit(file, request.steps) })
    file.close()
    port.close()
  })
}

function commit(file: RegisterFile, steps: readonly Step[]): string | null {
  try {
    file.transact(() => {
      for (const step of steps)
        if (step.type === 'append') file.put(unpackRecords(step.page), step.notes)
        else file.remove(step.keys)
    })
    return null
  } catch (error) {
    return reasonOf(error)
  }
}

function reasonOf(error: unknown): string {
  if (sqliteCodeOf(error) === sqliteCodes.full) return 'the disk is full'
  return error instanceof Error ? error.message : String(error)
}

function send(reply: Reply): void {
  port.postMessage(reply)
}
