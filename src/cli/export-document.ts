import { writeFileSync } from 'node:fs'
import { createApiClient } from './api-client.ts'
import { CommandError } from './command-error.ts'
import type { Terminal } from './terminal.ts'

export interface ExportOptions {
  readonly namespace?: string
  readonly json?: boolean
}

/** `export [FILE]`. Throws CommandError. */
export async function exportDocument(
  file: string | undefined,
  { namespace, json }: ExportOptions,
  env: NodeJS.ProcessEnv,
  terminal: Terminal,
): Promise<void> {
  const document = await createApiClient(env).request({ method: 'GET', path: '/export', query: { namespace } })
  const content = `${JSON.stringify(document, null, 2)}\n`
  if (file === undefined) return terminal.out(content)
  try {
    writeFileSync(file, content)
  } catch (error) {
    throw new CommandError(`${file} cannot be written (${error instanceof Error ? error.message : error}).`)
  }
  const { flags, segments } = document as { readonly flags: readonly unknown[]; readonly segments: readonly unknown[] }
  const counts = { flags: flags.length, segments: segments.length }
  if (json) terminal.out(`${JSON.stringify({ file, ...counts })}\n`)
  else terminal.err(`Wrote ${counts.flags} flags and ${counts.segments} segments to ${file}.\n`)
}
