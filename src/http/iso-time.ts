let textOfMs = -1
let text = ''

/** `wallMs` as RFC 3339. Many requests share a millisecond, and making the text costs more than an evaluation. */
export function isoTime(wallMs: number): string {
  if (wallMs !== textOfMs) {
    textOfMs = wallMs
    text = new Date(wallMs).toISOString()
  }
  return text
}
