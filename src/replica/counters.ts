/** Everything the replica counts, in the words of the metrics. All start at 0 and only grow. */
const names = [
  'packets_sent',
  'packets_received',
  'packet_bytes_sent',
  'packet_bytes_received',
  'packets_dropped_oversized',
  'packets_dropped_foreign',
  'packets_dropped_version',
  'packets_dropped_corrupt',
  'packets_dropped_malformed',
  'frames_sent',
  'frames_received',
  'frame_bytes_sent',
  'frame_bytes_received',
  'frames_dropped_oversized',
  'frames_dropped_foreign',
  'frames_dropped_version',
  'frames_dropped_corrupt',
  'frames_dropped_malformed',
  'frames_dropped_stale',
  'records_received',
  'records_applied',
  'records_expired',
  'records_forgotten',
  'records_forged',
  'stamps_from_future',
  'conflicts',
  'rumors_sent',
  'rumors_dropped',
  'nudges_sent',
  'pulls_sent',
  'pulls_served',
  'syncs_started',
  'syncs_served',
  'syncs_refused',
  'syncs_completed',
  'syncs_timed_out',
  'sync_records_sent',
  'sync_records_received',
  'writes_accepted',
  'writes_refused',
  'appends_failed',
  'acks_sent',
  'acks_received',
  'members_ignored',
] as const

export type CounterName = (typeof names)[number]

export class Counters {
  readonly #values = new Map<CounterName, number>(names.map((name) => [name, 0]))

  add(name: CounterName, by = 1): void {
    this.#values.set(name, (this.#values.get(name) ?? 0) + by)
  }

  snapshot(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#values)
  }
}
