import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

/**
 * When the process with this pid started, in whatever unit the system counts; null when there is none. A pid alone is
 * reused sooner or later, a pid with its start is not.
 */
export function startMarkOf(pid: number): string | null {
  return existsSync('/proc/self/stat') ? markFromProc(pid) : markFromPs(pid)
}

/** proc(5): after the name, which may hold anything but is in brackets, the state comes first and the start 19 later. */
function markFromProc(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const hasEnded = fields[0] === 'Z' || fields[0] === 'X'
    return hasEnded ? null : (fields[19] ?? null)
  } catch {
    return null
  }
}

function markFromPs(pid: number): string | null {
  try {
    const text = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()
    return text === '' || text.startsWith('Z') ? null : text.replace(/^\S+\s+/, '')
  } catch {
    return null
  }
}
