const msPerDay = 86_400_000
const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d))?$/

/**
 * Milliseconds since 1970 of an RFC 3339 date-time, or of a full-date (its midnight UTC); undefined for anything else, dates
 * that do not exist (30 February) included. `Date.parse` would roll those over. Fractions below a millisecond are cut off.
 */
export function parseInstant(text: string): number | undefined {
  const match = rfc3339.exec(text)
  if (!match) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((digits) => Number(digits ?? 0)) as Fields
  const offsetMinutes = parseOffset(match[8] ?? 'Z')
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined
  // RFC 3339 allows second 60, for leap seconds; it counts as the first of the next minute.
  if (hour > 23 || minute > 59 || second > 60 || offsetMinutes === undefined) return undefined
  const fractionMs = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3))
  const ms = ((hour * 60 + minute - offsetMinutes) * 60 + second) * 1_000 + fractionMs
  return daysFromCivil(year, month, day) * msPerDay + ms
}

/** The RFC 3339 form, in UTC with milliseconds, of milliseconds since 1970 in the years 0 to 9999; outside, the nearest end. */
export function formatInstant(ms: number): string {
  const inRange = Math.min(Math.max(Math.floor(ms), -62_167_219_200_000), 253_402_300_799_999)
  const days = Math.floor(inRange / msPerDay)
  const rest = inRange - days * msPerDay
  const { year, month, day } = civilFromDays(days)
  const time = [Math.floor(rest / 3_600_000), Math.floor(rest / 60_000) % 60, Math.floor(rest / 1_000) % 60]
  const clock = time.map((part) => digits(part, 2)).join(':')
  return `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}T${clock}.${digits(rest % 1_000, 3)}Z`
}

type Fields = [year: number, month: number, day: number, hour: number, minute: number, second: number]

function digits(value: number, width: number): string {
  return String(value).padStart(width, '0')
}

function parseOffset(text: string): number | undefined {
  if (text === 'Z' || text === 'z') return 0
  const hours = Number(text.slice(1, 3))
  const minutes = Number(text.slice(4, 6))
  if (hours > 23 || minutes > 59) return undefined
  return (text[0] === '-' ? -1 : 1) * (hours * 60 + minutes)
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Days since 1970-01-01 of a date of the proleptic Gregorian calendar (Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
}

/** The inverse of daysFromCivil; the same source. */
function civilFromDays(days: number): { year: number; month: number; day: number } {
  const z = days + 719_468
  const era = Math.floor(z / 146_097)
  const dayOfEra = z - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shifted = Math.floor((5 * dayOfYear + 2) / 153)
  const month = shifted < 10 ? shifted + 3 : shifted - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  return { year, month, day: dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1 }
}
