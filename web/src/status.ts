// What the gateway says of a resident's status, kept on the phone, and what it is worth later.

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

/** Whole hours since sampling. */
export function testHours(status: Status, nowMs: number): number | null {
  if (!status.sampled_at) return null;
  return Math.max(0, Math.floor((nowMs - Date.parse(status.sampled_at)) / 3_600_000));
}

/** The shape and the palette of a colour: what is not green, yellow or red is the square. */
export function shapeOf(colour: Colour): "green" | "yellow" | "red" | "unknown" {
  return colour === "closed" ? "unknown" : colour;
}
