import { randomBytes } from 'node:crypto'

/**
 * Makes the ids of requests. They stand in logs and in the audit log, also on other nodes and after a restart, so each process
 * begins with random text of its own; beyond that an id is a count, because every evaluation gets one.
 */
export function requestIds(): () => string {
  const prefix = `${randomBytes(6).toString('base64url')}-`
  let count = 0
  return () => prefix + (++count).toString(36)
}
