// Trusted time: the wall clock put right by the server, and never ahead of it (PL1 4.1, 4.2).

export interface Clocks {
  /** The phone's wall clock in milliseconds. */
  readonly wall: () => number;
  /** Milliseconds that never run backwards, from any start. */
  readonly monotonic: () => number;
}

export const systemClocks: Clocks = { wall: () => Date.now(), monotonic: () => performance.now() };

/** How far wall clock and monotonic clock may part before the monotonic one counts. */
export const partMs = 5_000;

/** Tells server time. Kept across restarts only by its offset, which `restore` takes back. */
export class TrustedClock {
  private offsetMs = 0;
  private base: { trueMs: number; monotonicMs: number };
  private exchanged = false;

  constructor(private readonly clocks: Clocks = systemClocks) {
    this.base = { trueMs: clocks.wall(), monotonicMs: clocks.monotonic() };
  }

  /** Whether the server has told the time since this page began; otherwise "time not confirmed". */
  get confirmed(): boolean {
    return this.exchanged;
  }

  /** Wall clock + this = server time; what to store for the next start. */
  get offset(): number {
    return this.offsetMs;
  }

  /** Takes the offset of an earlier run, when there was no exchange in this one yet. */
  restore(offsetMs: number): void {
    if (this.exchanged) return;
    this.offsetMs = offsetMs;
    this.base = { trueMs: this.clocks.wall() + offsetMs, monotonicMs: this.clocks.monotonic() };
  }

  /**
   * Takes the server's time from an answer that has just arrived.
   *
   * The answer's way back is not added: time then lags by at most that, and never runs ahead.
   */
  exchange(serverMs: number): void {
    this.offsetMs = serverMs - this.clocks.wall();
    this.base = { trueMs: serverMs, monotonicMs: this.clocks.monotonic() };
    this.exchanged = true;
  }

  /** Returns server time in milliseconds. */
  now(): number {
    const byWall = this.clocks.wall() + this.offsetMs;
    const byMonotonic = this.base.trueMs + this.clocks.monotonic() - this.base.monotonicMs;
    return Math.abs(byWall - byMonotonic) > partMs ? byMonotonic : byWall;
  }
}
