/**
 * What time it is, read once per event by the adapter that saw the event. Nothing below the adapters reads a clock.
 */
export interface Now {
  /** Milliseconds since an arbitrary point; never goes back. For timers, timeouts, rates. */
  readonly monotonicMs: number
  /** Milliseconds since 1970 as the machine believes; may step, drift and lie. For stamps only. */
  readonly wallMs: number
}
