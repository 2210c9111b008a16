// The status feed that a door holds: restricted indices of one epoch, whole or as a change (twin of core/verification/feed.py).
// What is signed by somebody else, of another realm or epoch, older than what is held, or from the future is refused.

import { type Signers, EnvelopeRefused, openEnvelope } from "./envelope.ts";
import type { ListState, StatusSource, StatusView } from "./verify.ts";

export type FeedFault = "malformed" | "signature" | "realm" | "epoch" | "seq" | "as-of" | "future" | "gap" | "size";

/** A message of the feed is refused; what is held stays. */
export class FeedRefused extends Error {
  constructor(readonly code: FeedFault) {
    super(code);
  }
}

/** From when on (POSIX seconds) an index has a state; nought is "from ever". */
export type Segment = readonly [from: number, state: ListState];
type Places = Readonly<Record<string, readonly number[]>>;

export interface FeedMessage {
  readonly realm: string;
  readonly epoch: number;
  readonly size: number;
  readonly as_of: number;
  readonly seq: number;
  /** The sequence that this is a change of; 0 is the whole. */
  readonly since: number;
  readonly entries: readonly (readonly [number, readonly Segment[]])[];
  readonly staff: Places;
  readonly started: Places;
}

/** What a door keeps of one epoch, as it lies in its store. */
export interface FeedState extends Omit<FeedMessage, "since" | "entries"> {
  readonly entries: ReadonlyMap<number, readonly Segment[]>;
}

const futureSeconds = 60;
const sizeMax = 2 ** 32;
const segmentsMax = 64;
const epochMax = 1_000_000;

/** Returns what a door holds after one message of an epoch. */
export class StatusFeed {
  constructor(
    readonly realm: string,
    readonly epoch: number,
    private held: FeedState | null = null,
  ) {
    if (held && (held.realm !== realm || held.epoch !== epoch)) this.held = null;
  }

  get state(): FeedState | null {
    return this.held;
  }

  /** The sequence to ask after: 0 asks for the whole. */
  get seq(): number {
    return this.held?.seq ?? 0;
  }

  get asOf(): number | null {
    return this.held?.as_of ?? null;
  }

  /** Takes a signed message; throws FeedRefused, and then nothing has changed. */
  async take(document: string, signers: Signers, now: number): Promise<void> {
    let payload: string;
    try {
      payload = await openEnvelope(document, `passlight/statuses/${this.realm}`, signers, now);
    } catch (error) {
      if (error instanceof EnvelopeRefused) throw new FeedRefused(error.code === "signature" ? "signature" : "malformed");
      throw error;
    }
    this.apply(readMessage(payload), now);
  }

  /** Applies a message whose signature is good. */
  apply(message: FeedMessage, now: number): void {
    if (message.realm !== this.realm) throw new FeedRefused("realm");
    if (message.epoch !== this.epoch) throw new FeedRefused("epoch");
    if (message.as_of > now + futureSeconds) throw new FeedRefused("future");
    const held = this.held;
    if (held && message.seq < held.seq) throw new FeedRefused("seq");
    if (held && message.as_of < held.as_of) throw new FeedRefused("as-of");
    const change = message.since > 0;
    if (change && (!held || message.since > held.seq)) throw new FeedRefused("gap");
    if (change && held && held.size !== message.size) throw new FeedRefused("size");
    const entries = new Map(change ? held!.entries : []);
    for (const [index, segments] of message.entries) {
      // An index that has no restriction any more needs no place.
      if (segments.every(([, state]) => state === 0)) entries.delete(index);
      else entries.set(index, segments);
    }
    const { realm, epoch, size, as_of, seq, staff, started } = message;
    this.held = { realm, epoch, size, as_of, seq, staff, started, entries };
  }

  /** The state of an index at a moment: the last segment that has begun. */
  stateAt(index: number, now: number): ListState {
    let state: ListState = 0;
    for (const [from, next] of this.held?.entries.get(index) ?? []) if (from <= now) state = next;
    return state;
  }

  /** Whether this index belongs to the staff of a venue, and whether its day has begun. */
  staffAt(venue: string, index: number): { staff: boolean; started: boolean } {
    const among = (places: Places | undefined) => places?.[venue]?.includes(index) ?? false;
    return { staff: among(this.held?.staff), started: among(this.held?.started) };
  }

  /** The view that verification asks for, at one moment. */
  view(now: number): StatusView | null {
    const held = this.held;
    if (!held) return null;
    return { asOf: held.as_of, size: held.size, state: (index) => this.stateAt(index, now) };
  }
}

/** All feeds of a door as the source of its statuses; a neighbour's epoch never serves. */
export function feedSource(feeds: Iterable<StatusFeed>, now: number): StatusSource {
  const known = [...feeds];
  return {
    view(realm, purpose, epoch) {
      if (purpose !== "phone" || epoch === null) return null;
      return known.find((feed) => feed.realm === realm && feed.epoch === epoch)?.view(now) ?? null;
    },
  };
}

/** Reads a payload strictly: a field of another kind refuses the whole. */
export function readMessage(text: string): FeedMessage {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    throw new FeedRefused("malformed");
  }
  const raw = (found ?? {}) as Record<string, unknown>;
  const whole = (name: string, max = Number.MAX_SAFE_INTEGER, min = 0): number => {
    const value = raw[name];
    if (!Number.isSafeInteger(value) || (value as number) < min || (value as number) > max) throw new FeedRefused("malformed");
    return value as number;
  };
  if (typeof raw["realm"] !== "string") throw new FeedRefused("malformed");
  const size = whole("size", sizeMax);
  return {
    realm: raw["realm"], epoch: whole("epoch", epochMax), size, as_of: whole("as_of"), seq: whole("seq"), since: whole("since"),
    entries: readEntries(raw["entries"], size), staff: readPlaces(raw["staff"], size), started: readPlaces(raw["started"], size),
  };
}

function readEntries(raw: unknown, size: number): [number, Segment[]][] {
  if (!Array.isArray(raw)) throw new FeedRefused("malformed");
  return raw.map((entry: unknown) => {
    if (!Array.isArray(entry) || entry.length !== 2) throw new FeedRefused("malformed");
    return [readIndex(entry[0], size), readSegments(entry[1])];
  });
}

function readIndex(value: unknown, size: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) >= size) throw new FeedRefused("malformed");
  return value as number;
}

function readSegments(raw: unknown): Segment[] {
  if (!Array.isArray(raw) || raw.length > segmentsMax) throw new FeedRefused("malformed");
  let last = -1;
  return raw.map((segment: unknown) => {
    if (!Array.isArray(segment) || segment.length !== 2) throw new FeedRefused("malformed");
    const [from, state] = segment as [unknown, unknown];
    if (!Number.isSafeInteger(from) || (from as number) <= last || ![0, 1, 2, 3].includes(state as number)) {
      throw new FeedRefused("malformed");
    }
    last = from as number;
    return [last, state as ListState];
  });
}

function readPlaces(raw: unknown, size: number): Places {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) throw new FeedRefused("malformed");
  return Object.fromEntries(
    Object.entries(raw).map(([venue, indices]) => {
      if (!Array.isArray(indices)) throw new FeedRefused("malformed");
      return [venue, indices.map((index) => readIndex(index, size))];
    }),
  );
}
