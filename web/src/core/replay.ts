// The replay set: a code is taken once at an admission point (PL1 5, step 16).

import type { Answer } from "./verify.ts";

export const keptSeconds = 120;
export const bodiesMax = 100_000;

/** One body at this admission point: its highest slot, the interaction, the answer given. */
export interface Sighting {
  readonly slot: number;
  readonly interaction: string;
  readonly seenAt: number;
  answer: Answer | null;
}

/** The bodies seen in the last 120 seconds, 100,000 at most, oldest out first; keyed by body. */
export class ReplaySet {
  private readonly seen = new Map<string, Sighting>();

  constructor(private readonly size = bodiesMax) {}

  find(body: string, now: number): Sighting | null {
    // In order of seenAt, so only the front can be old.
    for (const [key, sighting] of this.seen) {
      if (now - sighting.seenAt < keptSeconds) break;
      this.seen.delete(key);
    }
    return this.seen.get(body) ?? null;
  }

  /** The sightings that still count, oldest first: what a restart takes back with `record`, without the answers. */
  kept(now: number): [body: string, sighting: Omit<Sighting, "answer">][] {
    return [...this.seen]
      .filter(([, sighting]) => now - sighting.seenAt < keptSeconds)
      .map(([body, { slot, interaction, seenAt }]) => [body, { slot, interaction, seenAt }]);
  }

  record(body: string, sighting: Omit<Sighting, "answer">): Sighting {
    const kept = { ...sighting, answer: null };
    this.seen.delete(body);
    this.seen.set(body, kept);
    const oldest = this.seen.keys().next();
    if (this.seen.size > this.size && !oldest.done) this.seen.delete(oldest.value);
    return kept;
  }
}
