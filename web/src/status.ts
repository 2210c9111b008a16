// What the gateway says of a resident's status, kept on the phone, and what it is worth later.

import { ageSeconds } from "./core/sampling.ts";

export type Colour = "green" | "yellow" | "red" | "unknown" | "closed";
export type Two = { readonly zh: string; readonly en: string };

/** The answer of `GET /v1/me`. */
export interface Status {
  readonly colour: Colour;
  readonly reason: (Two & { readonly key: string }) | null;
  readonly advice: Two | null;
  readonly until: string | null;
  readonly next_change: { readonly at: string; readonly colour: Colour } | null;
  readonly sampled_at: string | null;
  readonly as_of: string;
  readonly now_ms: number;
}

/** What the page may still say at `now`: after a change it was told of, the new colour, without the old reason. */
export function statusAt(status: Status, nowMs: number): Status {
  const next = status.next_change;
  if (!next || Date.parse(next.at) > nowMs) return status;
  return { ...status, colour: next.colour, reason: null, advice: null, until: null, next_change: null };
}

const gridSeconds = 600;

/** Whole hours since sampling, null without a test. */
export function testHours(status: Status, nowMs: number): number | null {
  return status.sampled_at ? hoursSince(status.sampled_at, nowMs) : null;
}

/** Whole hours, counted as a door counts them: from the end of the sampling's ten minutes (PL1 2.7). */
export function hoursSince(sampledAt: string, nowMs: number): number {
  const sampled = Math.floor(Date.parse(sampledAt) / 1000 / gridSeconds) * gridSeconds;
  return Math.floor(ageSeconds(sampled, nowMs / 1000) / 3600);
}

/** The shape and the palette of a colour: what is not green, yellow or red is the square. */
export function shapeOf(colour: Colour): "green" | "yellow" | "red" | "unknown" {
  return colour === "closed" ? "unknown" : colour;
}
