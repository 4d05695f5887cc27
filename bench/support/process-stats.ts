import { readFileSync } from 'node:fs'

/** Clock ticks of /proc a second: USER_HZ, 100 on every Linux that Node runs on. */
const ticksPerSecond = 100

/** What Linux tells of a process. */
export interface ProcessStats {
  /** Processor time since its start, in milliseconds. */
  readonly cpuMs: number
  /** Memory in use, shared pages included, in MB. */
  readonly rssMb: number
  /** The same with each shared page divided among those who share it. */
  readonly pssMb: number
}

/** Linux only. Throws when there is no such process. */
export function statsOf(pid: number): ProcessStats {
  // The second field is the name in parentheses, which may contain anything.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  const ticks = Number(fields[11]) + Number(fields[12])
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const megabytes = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(rollup)?.[1]) / 1024
  return { cpuMs: (ticks / ticksPerSecond) * 1_000, rssMb: megabytes('Rss'), pssMb: megabytes('Pss') }
}
