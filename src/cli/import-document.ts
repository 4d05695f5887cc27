import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { type ApiClient, createApiClient } from './api-client.ts'
import { CommandError } from './command-error.ts'
import { type Progress, startProgress } from './progress.ts'
import { formatTable } from './table.ts'
import type { Terminal } from './terminal.ts'

export interface ImportOptions {
  readonly mode?: 'merge' | 'replace'
  readonly format?: 'flags' | 'flagd' | 'unleash'
  readonly namespace?: string
  readonly json?: boolean
}

type Counts = Readonly<Record<'created' | 'updated' | 'unchanged' | 'deleted', number>>

/** `import FILE`. Throws CommandError; then nothing was imported. */
export async function importDocument(
  file: string,
  options: ImportOptions,
  env: NodeJS.ProcessEnv,
  terminal: Terminal,
): Promise<void> {
  const body = await readDocument(file)
  const progress = startProgress(terminal, Buffer.byteLength(body))
  let report: ImportReport
  try {
    report = await postImport(createApiClient(env), body, options, progress)
  } finally {
    progress.stop()
  }
  terminal.out(options.json ? `${JSON.stringify(report)}\n` : describeReport(report))
}

/** What the node answers. */
interface ImportReport {
  readonly flags: Counts
  readonly segments: Counts
}

async function postImport(
  api: ApiClient,
  body: string,
  { mode, format, namespace }: ImportOptions,
  progress: Progress,
): Promise<ImportReport> {
  const query = { mode, format, namespace }
  const onSent = (bytes: number) => progress.sent(bytes)
  return (await api.request({ method: 'POST', path: '/import', query, body, onSent })) as ImportReport
}

/** Read whole and checked here: a file that is no JSON need not travel. */
async function readDocument(file: string): Promise<string> {
  const content = await readText(file)
  try {
    JSON.parse(content)
  } catch (error) {
    throw new CommandError(
      `${file} is not JSON (${error instanceof Error ? error.message : error}): nothing was imported.`,
    )
  }
  return content
}

async function readText(file: string): Promise<string> {
  if (file === '-') return text(process.stdin)
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CommandError(`${file} cannot be read (${error instanceof Error ? error.message : error}).`)
  }
}

function describeReport({ flags, segments }: ImportReport): string {
  const row = (name: string, counts: Counts) => [
    name,
    ...[counts.created, counts.updated, counts.unchanged, counts.deleted].map(String),
  ]
  return formatTable([
    ['', 'created', 'updated', 'unchanged', 'deleted'],
    row('flags', flags),
    row('segments', segments),
  ])
}
